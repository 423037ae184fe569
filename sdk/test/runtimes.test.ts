import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { newSigningSecret, signedHeaders } from '../../server/features/webhooks/signature.ts'
import { live } from '../../server/test/live.ts'
import { freePort } from '../../server/test/program.ts'
import { badNetwork } from './runtimes/bad-network.ts'
import type { exercise, Given } from './runtimes/exercise.ts'
import { ALWAYS, COMPILERS, FETCHED, inBrowser, type Platform, readBy } from './runtimes/platforms.ts'

const LIMIT = { timeout: 280_000 }

/** What the exercise sees wherever the SDK works. */
const IMPORTED = ['finished', 2, 0, ['created', 'Ann', 'a,b'], ['created', 'B "ö" b', 'a,b']]
const SEEN: Awaited<ReturnType<typeof exercise>> = {
  contact: ['ada@example.com', { first_name: 'Ada' }],
  pages: ['ada@example.com', 'x@b.example', 'x@c.example', 'x@d.example', 'x@é.example'],
  files: { text: IMPORTED, bytes: IMPORTED, blob: IMPORTED, stream: IMPORTED, pieces: IMPORTED, contacts: IMPORTED },
  phases: ['finished', true],
  batches: true,
  streamed: Array(5).fill('created'),
  streamEndedByAbort: true,
  exported: ['email', true],
  webhook: 'subscribed',
  forged: { name: 'WebhookError', isError: true },
  invalid: {
    name: 'InvalidError',
    isError: true,
    status: 422,
    hasRequestId: true,
    fields: { email: ['has already been taken'] },
  },
  missing: { name: 'NotFoundError', isError: true, status: 404, hasRequestId: true },
  denied: { name: 'UnauthorizedError', isError: true, status: 401, hasRequestId: true },
  unreachable: { name: 'ConnectionError', isError: true },
  silent: { name: 'TimeoutError', isError: true },
  moved: { name: 'UnexpectedAnswerError', isError: true },
  cut: { name: 'ConnectionError', isError: true },
  attempts: '2 attempts',
  abortedByReason: true,
  sourceIsStopped: true,
}

test('the SDK does the same on every platform', LIMIT, async (t) => {
  const port = await freePort()
  const made = await live(t, { CORS_ORIGINS: `http://127.0.0.1:${port}` })
  const [network, nowhere] = [await badNetwork(t), `http://127.0.0.1:${await freePort()}`]
  const platforms: readonly [string, Platform][] = [
    ...ALWAYS,
    ["Chromium, a page of the service's own origin", inBrowser()],
    ['Chromium, a page of another origin', inBrowser(port)],
    ...FETCHED,
  ]
  for (const [name, platform] of platforms)
    await t.test(name, async (each) => {
      const secret = newSigningSecret()
      const body = JSON.stringify({ type: 'subscribed', timestamp: '2026-01-31T00:00:00Z', data: { text: 'Zoë' } })
      const given: Given = {
        url: made.origin,
        token: (await made.another(name)).token,
        network,
        nowhere,
        secret,
        letter: { headers: signedHeaders({ id: 'msg_1', body }, [secret], Date.now()), body },
      }
      assert.deepEqual(await platform(each as typeof t, given), JSON.parse(JSON.stringify(SEEN)))
    })
})

test(
  'its declarations are read by the compilers of users, with what is strict and nothing skipped',
  LIMIT,
  async (t) => {
    for (const [name, tsc, options] of COMPILERS)
      await t.test(name, async (each) => assert.equal(await readBy(each as typeof t, tsc, options), ''))
  },
)

test("the guides' examples are read by a compiler", LIMIT, async (t) => {
  for (const guide of ['docs/sdk.md', 'sdk/README.md'])
    await t.test(guide, async (each) => {
      const text = readFileSync(join(import.meta.dirname, '../..', guide), 'utf8')
      const blocks = [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code!)
      assert.ok(blocks.length > 0)
      // Each stands for itself, but for what the first one has made.
      const acts = blocks.map((code, nth) => {
        const body = code.replace(/^import .*\n/gm, '').replace(/^export /gm, '')
        return `export async function example${nth}() {\n${body}}\n`
      })
      const program = `${AROUND}${acts.join('')}`
      const [, tsc, options] = COMPILERS[0]!
      assert.equal(await readBy(each as typeof t, tsc, options, program), '')
    })
})

/** What the examples find around them. */
const AROUND = `import { InvalidError, PreconditionFailedError, rollcall, verifyWebhook } from '@rollcall/sdk'
export { InvalidError, PreconditionFailedError, verifyWebhook }
declare const process: { env: Record<string, string | undefined> }
declare const client: ReturnType<typeof rollcall>
declare const kept: string
declare const file: Blob
declare const crmContacts: { email: string }[]
declare const id: number
declare function openAsBlob(path: string): Promise<Blob>
declare function stopMailing(data: unknown): Promise<void>
export { process, client, kept, file, crmContacts, id, openAsBlob, stopMailing }
`
