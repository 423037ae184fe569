import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import sql from 'sql-template-tag'
import { keyring, testApp } from '../../test/app.ts'
import { rulingOn, SUPPRESSED } from './suppressions.ts'

const email = fc
  .tuple(
    fc.constantFrom('ann', 'bob', '*', 'a%b'),
    fc.constantFrom('example.com', 'mail.example.com', 'a.mail.example.com', 'ample.com', 'example.org'),
  )
  .map((parts) => parts.join('@'))
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

const entry = fc.record({
  what: fc.oneof(
    email.map((value) => ({ kind: 'address', value })),
    email.map((value) => ({ kind: 'sha256', value: sha256(value) })),
    fc
      .constantFrom('example.com', 'mail.example.com', '*.example.com', '*.com', '*.mail.example.com', '*', '%', 'com')
      .map((value) => ({ kind: 'domain', value })),
    email.map((value) => ({ kind: 'hmac', value: sha256(value) })),
  ),
  expires: fc.constantFrom<string | null>(null, '2000-01-01', '2999-01-01'),
})

/** What the entries mean, without a database. */
function forbids(
  { what: { kind, value }, expires }: { what: { kind: string; value: string }; expires: string | null },
  address: string,
): boolean {
  const domain = address.split('@')[1]!
  if (expires === '2000-01-01') return false
  if (kind === 'address') return value === address
  if (kind === 'sha256') return value === sha256(address)
  if (kind === 'domain') return value.startsWith('*.') ? domain.endsWith(value.slice(1)) : value === domain
  return false
}

test('whether an address is suppressed is the same for one, for many, at its entry, and in plain words', async (t) => {
  const { db, accountId, get } = await testApp(t)

  const property = fc.asyncProperty(
    fc.uniqueArray(entry, { maxLength: 4, selector: ({ what }) => `${what.kind}:${what.value}` }),
    fc.uniqueArray(email, { minLength: 1, maxLength: 6 }),
    async (entries, emails) => {
      await db.query(sql`delete from suppressions where account_id = ${accountId}`)
      await db.query(sql`delete from contacts where account_id = ${accountId}`)
      await db.query(sql`
      insert into suppressions (account_id, kind, value, reason, source, expires_at)
      select ${accountId}, kind, value, 'manual', 'test', expires
      from jsonb_to_recordset(${JSON.stringify(entries.map(({ what, expires }) => ({ ...what, expires })))}::jsonb) as t (kind text, value text, expires timestamptz)`)
      await db.query(sql`
      insert into contacts (account_id, email, state, origin) select ${accountId}, email, 'subscribed', 'test' from unnest(${emails}::text[]) as email`)

      const expected = new Map(emails.map((address) => [address, entries.some((one) => forbids(one, address))]))
      const many = await db.query<{ email: string; suppressed: boolean }>(
        sql`select c.email, ${SUPPRESSED} as suppressed from contacts as c where c.account_id = ${accountId}`,
      )
      assert.deepEqual(
        new Map(many.map((row) => [row.email, row.suppressed]).sort() as [string, boolean][]),
        new Map([...expected].sort()),
      )
      const read = (await get('/api/contacts')).body.data as {
        id: string
        email: string
        sendable: { allowed: boolean; reason: string | null }
      }[]
      for (const contact of read) {
        const no = expected.get(contact.email)!
        assert.deepEqual(contact.sendable, { allowed: !no, reason: no ? 'suppressed' : null }, contact.email)
        assert.deepEqual(
          (await get(`/api/contacts/${contact.id}`)).body.data,
          contact,
          'one by its id, through read_contact',
        )
      }
      const filtered = (await get('/api/contacts?sendable=true')).body.data as { email: string }[]
      assert.deepEqual(
        filtered.map((contact) => contact.email).sort(),
        emails.filter((address) => !expected.get(address)).sort(),
      )
      for (const address of emails)
        assert.equal((await rulingOn(db, keyring, accountId, address)).suppressed, expected.get(address), address)
    },
  )
  await fc.assert(property, { numRuns: 60, seed: 5 })
})
