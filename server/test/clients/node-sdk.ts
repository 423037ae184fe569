import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { test as nodeTest, type TestContext } from 'node:test'
import type { MailtrapClient } from 'mailtrap'
import type { TestApp } from '../app.ts'
import { live } from '../live.ts'

const require = createRequire(import.meta.url)

/** Where the package says that its server is; its resources read it once, when they are loaded. */
const { default: settings } = require(join(dirname(require.resolve('mailtrap')), 'config/index.js')) as {
  default: { CLIENT_SETTINGS: { GENERAL_ENDPOINT: string } }
}

/** Stands in each URL that the client makes, until a request is sent: then it is the server of the test. */
const PLACE = 'http://rollcall.invalid'
settings.CLIENT_SETTINGS.GENERAL_ENDPOINT = PLACE
const mailtrap = require('mailtrap') as typeof import('mailtrap')

export const { MailtrapClient: Client } = mailtrap

/** The official client as it comes from the registry, sent to this server and nowhere else. */
export function clientOf(origin: string, accountId: number, token: string): MailtrapClient {
  const client = new Client({ token, accountId })
  const { axios } = client as unknown as { axios: Axios }
  axios.interceptors.request.use((request) => {
    assert.ok(request.url.startsWith(`${PLACE}/`), `${request.url} would leave this machine`)
    return { ...request, url: origin + request.url.slice(PLACE.length) }
  })
  return client
}

interface Axios {
  interceptors: { request: { use: (change: (request: { url: string }) => { url: string }) => void } }
}

/** What a call of the client resolves to: its types say an HTTP response, but it is the body. */
// biome-ignore lint/suspicious/noExplicitAny: the assertions say what is expected
export async function body(call: Promise<unknown>): Promise<any> {
  return call
}

/** The call fails as the client lets fail what a server refuses: with this status, and this message out of its answer. */
export async function fails(call: Promise<unknown>, status: number, message: string | RegExp): Promise<void> {
  await assert.rejects(call, (error: Error & { cause?: { response?: { status: number } } }) => {
    assert.equal(error.constructor.name, 'MailtrapError', error.stack)
    assert.equal(error.cause?.response?.status, status, error.message)
    if (typeof message === 'string') assert.equal(error.message, message)
    else assert.match(error.message, message)
    return true
  })
}

/** A test with a live Rollcall and the official client that speaks to it. */
export function test(name: string, run: (parts: Live, t: TestContext) => Promise<void>): void {
  nodeTest(name, async (t) => {
    const made = await live(t)
    await run({ ...made, client: clientOf(made.origin, made.accountId, made.token) }, t)
  })
}

export interface Live extends TestApp {
  origin: string
  client: MailtrapClient
}

/** Asks until what is answered is so, for 20 s at most. */
export async function until<Answer>(ask: () => Promise<Answer>, is: (answer: Answer) => boolean): Promise<Answer> {
  const end = Date.now() + 60_000
  for (;;) {
    const answer = await ask()
    if (is(answer)) return answer
    assert.ok(Date.now() < end, `still ${JSON.stringify(answer)}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
