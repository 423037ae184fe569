import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { testApp } from '../test/app.ts'

const JSON_TYPE = { 'content-type': 'application/json' }
const nested = (levels: number) => `{"email":"x","tags":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`

test('a body may be 100 levels deep, whatever brackets stand in its texts', async (t) => {
  const { call } = await testApp(t)
  const send = (text: string) => call('POST', '/api/contacts', text, JSON_TYPE)

  assert.equal((await send(nested(100))).status, 422)
  const deeper = await send(nested(101))
  assert.deepEqual(
    [deeper.status, deeper.body],
    [400, { errors: 'The body is nested too deep: at most 100 levels are taken' }],
  )
  for (const [n, text] of [
    '['.repeat(250),
    `${'\\"['.repeat(80)}`,
    `${'\\\\'.repeat(60)}${'{'.repeat(120)}`,
  ].entries()) {
    const fields = `"first_name":"${text}"`
    const answer = await send(`{"email":"p${n}@example.com","fields":{${fields}}}`)
    assert.equal(answer.status, 201, JSON.stringify(answer.body))
    assert.equal(answer.body.data.fields.first_name, JSON.parse(`"${text}"`))
  }
})

test('text comes back as it was sent, in every script', async (t) => {
  const { call } = await testApp(t)
  const texts = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }).filter((text) => text.trim() !== '')
  const property = fc.asyncProperty(texts, async (text) => {
    const body = JSON.stringify({ fields: { first_name: text } })
    const answer = await call('PATCH', '/api/contacts/ann@example.com', body, JSON_TYPE)
    assert.deepEqual([answer.status, answer.body.data?.fields.first_name], [200, text])
  })
  await fc.assert(property, { numRuns: 60, seed: 20_261 })
})

test('one byte too many is refused with the size there is, before it is read', async (t) => {
  const { call, get } = await testApp(t, { BODY_MAX_BYTES: '2000' })
  const body = (bytes: number) => {
    const start = '{"email":"ann@example.com","tags":[]'
    return `${start}${' '.repeat(bytes - start.length - 1)}}`
  }

  const refused = await call('POST', '/api/contacts', body(2001), JSON_TYPE)

  assert.deepEqual(
    [refused.status, refused.body],
    [413, { errors: 'The request body is too large: at most 2000 bytes are taken' }],
  )
  assert.equal((await get('/api/contacts')).body.total, 0)
  assert.equal((await call('POST', '/api/contacts', body(2000), JSON_TYPE)).status, 201)
})
