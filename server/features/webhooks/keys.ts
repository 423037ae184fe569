import sql from 'sql-template-tag'
import type { Database, Queryable } from '../../db/database.ts'
import { Refusal } from '../../lib/refusal.ts'
import { type Keyring, keyIdOf } from '../../lib/secret.ts'
import { openSigningSecret, sealSigningSecret } from './signature.ts'

/**
 * Sees to it that the secrets of webhooks can be opened, and seals those of an older key with the newest one, so that the
 * older one can be taken out once nothing else needs it. Throws a Refusal when a key is not in the ring.
 */
export async function prepareSigningSecrets(db: Database, keyring: Keyring): Promise<void> {
  await requireKeysOf(
    db,
    keyring.map(({ id }) => id),
  )
  const newest = Buffer.from(keyring[0].id, 'hex')
  const accounts = await db.query<{ id: number }>(sql`
    select distinct account_id as id from webhooks
    where substring(secret from 1 for 4) <> ${newest} or substring(previous_secret from 1 for 4) <> ${newest}`)
  await Promise.all(accounts.map(({ id }) => reseal(db, keyring, id)))
}

/** The same before there is any key, in a database that may have no tables yet. */
export async function requireNoSigningSecrets(db: Queryable): Promise<void> {
  const [found] = await db.query<{ exists: boolean }>(sql`select to_regclass('webhooks') is not null as exists`)
  if (found!.exists) await requireKeysOf(db, [])
}

async function requireKeysOf(db: Queryable, keyIds: string[]): Promise<void> {
  const known = keyIds.map((id) => Buffer.from(id, 'hex'))
  const [missing] = await db.query<{ secret: Buffer }>(sql`
    select secret from webhooks where substring(secret from 1 for 4) <> all(${known}::bytea[]) limit 1`)
  if (!missing) return
  throw new Refusal(
    `the database holds secrets of webhooks that were sealed with key ${keyIdOf(missing.secret)}, which ROLLCALL_SECRET (or ` +
      'ROLLCALL_HOME/secret) lacks: add that key behind the others, or put the file back from your backup',
  )
}

/** The secret of before signs for a day only: where its key is gone, it is forgotten. */
function reseal(db: Database, keyring: Keyring, accountId: number): Promise<void> {
  return db.transaction(async (trx) => {
    const rows = await trx.query<{ id: number; secret: Buffer; previous_secret: Buffer | null }>(sql`
      select id, secret, previous_secret from webhooks where account_id = ${accountId} order by id for no key update`)
    const anew = (secret: Buffer | null) =>
      secret && keyring.some(({ id }) => id === keyIdOf(secret))
        ? sealSigningSecret(keyring, openSigningSecret(keyring, secret))
        : null
    trx.send(sql`
      update webhooks as w set secret = fresh.secret, previous_secret = fresh.previous_secret
      from unnest(${rows.map(({ id }) => id)}::bigint[], ${rows.map(({ secret }) => anew(secret))}::bytea[],
        ${rows.map(({ previous_secret }) => anew(previous_secret))}::bytea[]) as fresh (id, secret, previous_secret)
      where w.account_id = ${accountId} and w.id = fresh.id`)
  })
}
