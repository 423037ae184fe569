import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Tenant, type TestApp, testApp } from './app.ts'

interface Exchange {
  name: string
  /**
   * How it is known that the official service does so: `recorded` from it; `documented` in its API's description; what a
   * `client` of it is seen to send, or needs to be answered; `decided` by us where there is no evidence.
   */
  evidence: 'recorded' | 'documented' | 'client' | 'decided'
  /** What must be there before: calls made first, whose answers can be named as `{{first.data.id}}`. */
  given?: Record<string, { method: string; path: string; body?: unknown }>
  /** Whether jobs that wait are done before the request. */
  jobs?: true
  method: string
  path: string
  body?: unknown
  /** `{{token}}` is the account's own; without headers it is sent as most calls do. */
  headers?: Record<string, string>
  status: number
  /**
   * Each key given must be there with this value. `"<any>"`, `"<integer>"`, `"<uuid>"`, `"<millis>"`, `"<time>"`, `"<url>"`
   * stand for what differs; `{"<only>": […]}` for an object with these keys and no others.
   */
  answer?: unknown
}

const FOLDER = join(import.meta.dirname, 'conformance')
const exchanges: Exchange[] = readdirSync(FOLDER).flatMap((file) =>
  JSON.parse(readFileSync(join(FOLDER, file), 'utf8')),
)

/** Every spelling in which a path of the official API may be written. */
const PREFIXES: ((path: string, accountId: number) => string)[] = [
  (path, accountId) => `/api/accounts/${accountId}${path}`,
  (path) => `/api${path}`,
  (path, accountId) =>
    `/api/accounts/${accountId}${path.replace(/^\/contacts\/(lists|fields|imports|exports)/, '/contact_$1')}`,
  (path) => `/api${path.replace(/^\/contacts\/(lists|fields|imports|exports)/, '/contact_$1')}`,
]

test('official exchanges', async (t) => {
  const app = await testApp(t)
  for (const exchange of exchanges) {
    await t.test(`${exchange.evidence}: ${exchange.name}`, async () => {
      for (const prefixed of PREFIXES) await hold(app, exchange, prefixed)
    })
  }
})

/** Makes the exchange in an account of its own, which has nothing in it but what was given. */
async function hold(app: TestApp, exchange: Exchange, prefixed: (path: string, accountId: number) => string) {
  const made = await app.another()
  const known = await prepare(made, exchange, prefixed)
  const fill = (text: string) => text.replace(/\{\{([^}]+)\}\}/g, (_, path) => String(valueAt(known, path)))
  // What stands alone in its quotes keeps its type.
  const filled = (json: unknown) =>
    JSON.parse(
      fill(JSON.stringify(json).replace(/"\{\{([^}]+)\}\}"/g, (_, path) => JSON.stringify(valueAt(known, path)))),
    )
  if (exchange.jobs) await app.runJobs()

  const answer = await made.call(
    exchange.method,
    prefixed(fill(exchange.path), made.accountId),
    exchange.body === undefined ? undefined : filled(exchange.body),
    exchange.headers && filled(exchange.headers),
  )

  assert.equal(answer.status, exchange.status, JSON.stringify(answer.body))
  if (exchange.status === 204) assert.equal(answer.body, '')
  else assert.match(String(answer.headers['content-type']), /^application\/json(;|$)/)
  if (exchange.answer !== undefined) matches(answer.body, filled(exchange.answer), 'body')
}

async function prepare(made: Tenant, exchange: Exchange, prefixed: (path: string, accountId: number) => string) {
  const known: Record<string, unknown> = { token: made.token }
  for (const [name, call] of Object.entries(exchange.given ?? {})) {
    const body = JSON.parse(
      JSON.stringify(call.body ?? {}).replace(/"\{\{([^}]+)\}\}"/g, (_, path) => JSON.stringify(valueAt(known, path))),
    )
    const path = call.path.replace(/\{\{([^}]+)\}\}/g, (_, place) => String(valueAt(known, place)))
    const answer = await made.call(
      call.method,
      prefixed(path, made.accountId),
      call.method === 'GET' ? undefined : body,
    )
    assert.ok(answer.status < 300, `${name}: ${answer.status} ${JSON.stringify(answer.body)}`)
    known[name] = answer.body
  }
  return known
}

function valueAt(from: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], from)
}

const KINDS: Record<string, (value: unknown) => boolean> = {
  '<time>': (value) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(String(value)),
  '<any>': () => true,
  '<integer>': (value) => Number.isInteger(value),
  '<millis>': (value) => Number.isInteger(value) && Math.abs((value as number) - Date.now()) < 3_600_000,
  '<url>': (value) => URL.canParse(String(value)),
  '<uuid>': (value) => /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(String(value)),
}

/** Objects may have more keys than is expected of them; everything else must be the same. */
function matches(actual: unknown, expected: unknown, at: string): void {
  if (typeof expected === 'string' && expected in KINDS) {
    assert.ok(KINDS[expected]!(actual), `${at}: ${JSON.stringify(actual)} is not ${expected}`)
  } else if (Array.isArray(expected)) {
    assert.ok(Array.isArray(actual), `${at} is an array`)
    assert.equal(actual.length, expected.length, `${at}: ${JSON.stringify(actual)}`)
    for (const [nth, part] of expected.entries()) matches(actual[nth], part, `${at}[${nth}]`)
  } else if (typeof expected === 'object' && expected !== null) {
    assert.ok(typeof actual === 'object' && actual !== null, `${at} is an object`)
    if ('<only>' in expected) assert.deepEqual(Object.keys(actual), expected['<only>'], at)
    for (const [key, part] of Object.entries(expected))
      if (key !== '<only>') matches((actual as Record<string, unknown>)[key], part, `${at}.${key}`)
  } else {
    assert.deepEqual(actual, expected, at)
  }
}
