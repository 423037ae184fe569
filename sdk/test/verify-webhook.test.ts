import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { Webhook } from 'standardwebhooks'
import { verifyWebhook, WebhookError } from '../src/rollcall.ts'

const secret = `whsec_${randomBytes(32).toString('base64')}`

function signed(body: string, { by = secret, at = new Date(), id = 'msg_1' } = {}) {
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(by).sign(id, at, body),
  }
}

test('what the Standard Webhooks library signs is taken, whatever it says, in each form of headers and body', async () => {
  await fc.assert(
    fc.asyncProperty(fc.jsonValue(), async (value) => {
      const body = JSON.stringify({ type: 'created', data: value })
      const headers = signed(body)
      const expected = JSON.parse(body)
      assert.deepEqual(await verifyWebhook(secret, headers, body), expected)
      assert.deepEqual(await verifyWebhook(secret, new Headers(headers), new TextEncoder().encode(body)), expected)
      const loud = Object.fromEntries(Object.entries(headers).map(([name, text]) => [name.toUpperCase(), [text]]))
      assert.deepEqual(
        await verifyWebhook([`whsec_${randomBytes(24).toString('base64')}`, secret], loud, body),
        expected,
      )
    }),
    { numRuns: 50 },
  )
})

test('after a change of the secret either of two signatures counts', async () => {
  const later = `whsec_${randomBytes(32).toString('base64')}`
  const [one, two] = [signed('{}'), signed('{}', { by: later })]
  const headers = { ...one, 'webhook-signature': `v1a,abc ${two['webhook-signature']} ${one['webhook-signature']}` }

  assert.deepEqual(await verifyWebhook(secret, headers, '{}'), {})
  assert.deepEqual(await verifyWebhook(later, headers, '{}'), {})
})

test('whatever is changed of a message, it is refused', async () => {
  const body = '{"type":"created","data":{"id":1}}'
  const headers = signed(body)
  const refused = (given: Record<string, string | undefined>, text = body, by = secret) =>
    assert.rejects(verifyWebhook(by, given, text), WebhookError)

  for (let at = 0; at < body.length; at++) await refused(headers, `${body.slice(0, at)}~${body.slice(at + 1)}`)
  await refused({ ...headers, 'webhook-id': 'msg_2' })
  await refused({ ...headers, 'webhook-timestamp': String(Number(headers['webhook-timestamp']) + 1) })
  await refused({ ...headers, 'webhook-timestamp': 'NaN' })
  for (const name of Object.keys(headers)) await refused({ ...headers, [name]: undefined })
  for (const signature of ['', 'v1,', 'v1,§', 'v2,abc', headers['webhook-signature'].slice(3)])
    await refused({ ...headers, 'webhook-signature': signature })
  await refused(headers, body, `whsec_${randomBytes(32).toString('base64')}`)
  await refused(headers, body, 'whsec_')
  await refused(signed(body, { at: new Date(Date.now() - 301_000) }))
  await refused(signed(body, { at: new Date(Date.now() + 301_000) }))
  await verifyWebhook(secret, signed(body, { at: new Date(Date.now() - 290_000) }), body)
})
