import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { keyIdOf, parseKeyring } from '../../lib/secret.ts'
import { testApp } from '../../test/app.ts'
import { prepareSigningSecrets, requireNoSigningSecrets } from './keys.ts'
import { openSigningSecret } from './signature.ts'

const OLD = 'a-secret-that-only-tests-know-0123456789'
const NEW = 'a-new-secret-that-only-tests-know-0123456789'

test('a start without the key that secrets were sealed with is refused; with a new one before it they are sealed anew', async (t) => {
  const { db, post } = await testApp(t)
  const { secret } = (await post('/api/webhooks', { url: 'https://example.com/' })).body
  const stored = async () => (await db.query<{ secret: Buffer }>(sql`select secret from webhooks`))[0]!.secret
  const [both, alone] = [parseKeyring(`${NEW},${OLD}`), parseKeyring(NEW)]

  const says = { name: 'Refusal', message: new RegExp(`sealed with key ${parseKeyring(OLD)[0].id}, which`) }
  await assert.rejects(prepareSigningSecrets(db, alone), says)
  await assert.rejects(requireNoSigningSecrets(db), says)
  await db.query(sql`update webhooks set previous_secret = secret`)
  await prepareSigningSecrets(db, both)

  assert.equal(keyIdOf(await stored()), alone[0].id)
  const previous = async () =>
    (await db.query<{ previous: Buffer | null }>(sql`select previous_secret as previous from webhooks`))[0]!.previous
  assert.equal(openSigningSecret(alone, (await previous())!), secret)
  assert.equal(openSigningSecret(alone, await stored()), secret)
  await prepareSigningSecrets(db, alone)
  assert.notEqual(await previous(), null)
  await db.query(sql`update webhooks set previous_secret = decode('0123456789', 'hex')`)
  await prepareSigningSecrets(db, alone)
  assert.equal(await previous(), null, 'of a key that is gone')
})
