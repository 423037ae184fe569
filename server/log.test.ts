import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { logTo } from './log.ts'

test('an error is logged with its causes, and without what PostgreSQL quotes or a connection carries', () => {
  const stream = new PassThrough()
  const log = logTo('info', stream)
  const cause = Object.assign(new Error('duplicate key'), {
    code: '23505',
    constraint: 'contacts_email_key',
    detail: 'Key (email)=(ada@example.com) already exists.',
    client: { password: 'sesame' },
  })

  log.error({ err: new Error('not saved', { cause }) }, 'failed')

  const line = String(stream.read())
  const { err } = JSON.parse(line)
  assert.equal(err.message, 'not saved')
  assert.deepEqual([err.cause.code, err.cause.constraint], ['23505', 'contacts_email_key'])
  assert.ok(!line.includes('ada@example.com') && !line.includes('sesame'))
})
