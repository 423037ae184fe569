import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { testApp } from '../../server/test/app.ts'
import { type Document, operationsFrom } from '../generate.ts'

const FILE = join(import.meta.dirname, '../src/operations.ts')

test('the operations and their types are those of the OpenAPI document', async (t) => {
  const made = await testApp(t)
  const text = operationsFrom((await made.get('/openapi.json')).body as Document)

  if (process.env.UPDATE_OPERATIONS === '1') writeFileSync(FILE, text)

  assert.ok(readFileSync(FILE, 'utf8') === text, 'operations.ts is not current: run `npm run generate -w sdk`')
})

test('a document with something that would be lost is refused', () => {
  const document = (operation: object): Document => ({
    paths: { '/api/x': { get: { operationId: 'x', responses: {}, ...operation } } },
  })
  const answer = (schema: object) => ({ responses: { 200: { content: { 'application/json': { schema } } } } })

  assert.throws(() => operationsFrom(document(answer({ oneOf: [] }))), /keyword oneOf/)
  assert.throws(() => operationsFrom(document(answer({ type: 'colour' }))), /type colour/)
  assert.throws(() => operationsFrom(document({ operationId: undefined })), /operationId/)
  assert.throws(
    () => operationsFrom(document({ requestBody: { content: { 'text/csv': { schema: {} } } } })),
    /text\/csv/,
  )
})
