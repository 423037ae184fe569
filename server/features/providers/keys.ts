import sql from 'sql-template-tag'
import type { Database } from '../../db/database.ts'
import { Refusal } from '../../lib/refusal.ts'
import { type Keyring, keyIdOf } from '../../lib/secret.ts'
import { openSecret, sealSecret } from './hooks.ts'

/**
 * Sees to it that what providers sign with can be opened, and seals what an older key has sealed with the newest one, so
 * that the older one can be taken out. Throws a Refusal when a key is not in the ring: nothing could be verified.
 */
export async function prepareProviderSecrets(db: Database, keyring: Keyring): Promise<void> {
  const known = keyring.map(({ id }) => Buffer.from(id, 'hex'))
  const [missing] = await db.query<{ signing_secret: Buffer }>(sql`
    select signing_secret from provider_hooks
    where signing_secret is not null and substring(signing_secret from 1 for 4) <> all(${known}::bytea[]) limit 1`)
  if (missing)
    throw new Refusal(
      `the database holds signing secrets of mail providers that were sealed with key ${keyIdOf(missing.signing_secret)}, which ` +
        'ROLLCALL_SECRET (or ROLLCALL_HOME/secret) lacks: add that key behind the others, or put the file back from your backup',
    )
  const accounts = await db.query<{ id: number }>(sql`
    select distinct account_id as id from provider_hooks where substring(signing_secret from 1 for 4) <> ${known[0]}`)
  for (const { id } of accounts) await reseal(db, keyring, id)
}

function reseal(db: Database, keyring: Keyring, accountId: number): Promise<void> {
  return db.transaction(async (trx) => {
    const rows = await trx.query<{ id: number; signing_secret: Buffer }>(sql`
      select id, signing_secret from provider_hooks
      where account_id = ${accountId} and signing_secret is not null order by id for no key update`)
    const anew = rows.map(({ signing_secret }) => sealSecret(keyring, openSecret(keyring, signing_secret)))
    trx.send(sql`
      update provider_hooks as h set signing_secret = fresh.secret
      from unnest(${rows.map(({ id }) => id)}::bigint[], ${anew}::bytea[]) as fresh (id, secret)
      where h.account_id = ${accountId} and h.id = fresh.id`)
  })
}
