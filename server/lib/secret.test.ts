import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deriveKey, hmac, hmacAll, newSecret, openSealed, parseKeyring, seal } from './secret.ts'

const OLD = 'an-old-key-that-has-been-used-for-years'
const NEW = 'a-new-key-that-has-been-made-only-today'

test('a keyring keeps the order of its keys, and names each by an id that is always the same', () => {
  const [first, second] = parseKeyring(` ${NEW} , ${OLD}`)

  assert.match(first.id, /^[0-9a-f]{8}$/)
  assert.equal(first.id, parseKeyring(NEW)[0].id)
  assert.equal(second?.id, parseKeyring(OLD)[0].id)
  assert.notEqual(first.id, second?.id)
})

test('short keys, empty ones and the same key twice are refused without being shown', () => {
  for (const text of ['', 'short', `${NEW},`, `${NEW},short`, `${NEW},${NEW}`]) {
    assert.throws(
      () => parseKeyring(text),
      (error: Error) => !error.message.includes('short') && !error.message.includes(NEW),
      text,
    )
  }
})

test('a new secret is a keyring of one, and never the same', () => {
  assert.equal(parseKeyring(newSecret()).length, 1)
  assert.notEqual(newSecret(), newSecret())
})

test('a hash is made with the newest key and looked for with all of them, differently for each purpose', () => {
  const before = hmac(parseKeyring(OLD), 'suppression', 'ada@example.com')

  const ring = parseKeyring(`${NEW},${OLD}`)
  const now = hmac(ring, 'suppression', 'ada@example.com')

  assert.notDeepEqual(now, before)
  assert.deepEqual(hmacAll(ring, 'suppression', 'ada@example.com'), [now, before])
  assert.notEqual(hmac(ring, 'links', 'ada@example.com').value, now.value)
  assert.match(now.value, /^[0-9a-f]{64}$/)
})

test('what was sealed opens after a new key has come, for the same purpose alone', () => {
  const sealed = seal(parseKeyring(OLD), 'answers', 'Жук 🪲')

  assert.equal(openSealed(parseKeyring(`${NEW},${OLD}`), 'answers', sealed), 'Жук 🪲')
  assert.throws(() => openSealed(parseKeyring(OLD), 'links', sealed))
  assert.throws(() => openSealed(parseKeyring(NEW), 'answers', sealed), new RegExp(parseKeyring(OLD)[0].id))
  assert.equal(openSealed(parseKeyring(OLD), 'answers', seal(parseKeyring(OLD), 'answers', '')), '')
})

test('a sealed text of which any byte was changed, or some are missing, does not open', () => {
  const ring = parseKeyring(NEW)
  const sealed = seal(ring, 'answers', 'text')

  for (let at = 0; at < sealed.length; at++) {
    const changed = Buffer.from(sealed)
    changed[at]! ^= 1
    assert.throws(() => openSealed(ring, 'answers', changed), `byte ${at}`)
    assert.throws(() => openSealed(ring, 'answers', sealed.subarray(0, at)), `the first ${at} bytes`)
  }
})

test('the same text sealed twice gives different bytes, and a derived key depends on key and purpose', () => {
  const ring = parseKeyring(NEW)

  assert.notDeepEqual(seal(ring, 'answers', 'text'), seal(ring, 'answers', 'text'))
  assert.deepEqual(deriveKey(ring, 'cursor'), deriveKey(parseKeyring(`${NEW},${OLD}`), 'cursor'))
  assert.notDeepEqual(deriveKey(ring, 'cursor'), deriveKey(ring, 'links'))
})
