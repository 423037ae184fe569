import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashPassword, isOutdated, isPassword, PASSWORD_COST } from './password.ts'

test('a password is known again by its hash, and nothing else is', async () => {
  const stored = await hashPassword('correct horse \u00e9')

  assert.match(stored, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  assert.equal(await isPassword('correct horse \u00e9', stored), true)
  assert.equal(await isPassword('correct horse e\u0301', stored), true, 'the accent as a character of its own')
  assert.equal(await isPassword('correct horse e', stored), false)
  assert.equal(await isPassword('', stored), false)
  assert.notEqual(await hashPassword('correct horse \u00e9'), stored, 'each has its salt')
})

test('a hash of another cost is still understood, and known to be outdated', async () => {
  const cheap = await hashPassword('correct horse', { ...PASSWORD_COST, memory: 64 })

  assert.equal(await isPassword('correct horse', cheap), true)
  assert.deepEqual([isOutdated(cheap), isOutdated(await hashPassword('correct horse'))], [true, false])
  await assert.rejects(isPassword('correct horse', 'plain'), /not a hash/)
})
