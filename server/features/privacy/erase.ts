import { Readable } from 'node:stream'
import sql from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'
import type { FileStore } from '../../files/store.ts'
import type { Caller } from '../../http/caller.ts'
import type { Queue } from '../../jobs/queue.ts'
import { type Keyring, type Mark, seal } from '../../lib/secret.ts'
import { audit } from '../accounts/audit.ts'
import { removeContacts } from '../contacts/remove.ts'
import { forgetSignUps } from '../forms/take.ts'
import { leaveErased } from '../subscriptions/suppressions.ts'
import { type Entry, journalKey } from './journal-entry.ts'
import { holdAddresses, type Person, personOf } from './person.ts'
import { sweepErasure } from './sweep-job.ts'
import { clearTraces } from './traces.ts'

export interface Parts {
  files: FileStore
  keyring: Keyring
  queue: Queue
}

/** For what an erasure seals until files and answers have been looked through. */
export const SEALED_FOR = 'erasure'

/**
 * Erases a person: everything that the tables hold of them, in this transaction; files and kept answers follow by a job. What
 * stays is an HMAC of each address, an entry of the audit log, the receipt, and an entry of the journal, from which a copy
 * of the database that is put back learns of it. The order is what makes it safe beside whoever enters the address at this
 * moment: the HMAC first, then the address's row, which waits for them, then all that is there by then.
 * @param id of the receipt; that of the journal when an entry of it is applied
 * @returns the receipt's id
 */
export async function erase(
  trx: Trx,
  { files, keyring, queue }: Parts,
  caller: Caller,
  known: { id?: string; email?: string },
  entry?: { id: string; at: string },
): Promise<string> {
  const { accountId, actor } = caller
  const person = await personOf(trx, accountId, known)
  const marks = leaveErased(trx, keyring, accountId, person.emails, 'erasure')
  await forgetSignUps(trx, keyring, accountId, person.emails)
  const held = await holdAddresses(trx, accountId, person.emails)
  const ids = [...new Set([...person.ids, ...held])].sort()
  const everywhere = await completed(trx, accountId, person, ids)
  const before = await countRows(trx, accountId, person.ids)
  await removeContacts(trx, ids, { accountId, changeSetId: null, source: 'erasure', keyring })
  const traces = await clearTraces(trx, accountId, everywhere)
  const counts = { contacts: person.ids.length, ...before, ...traces }
  const sealed = seal(keyring, SEALED_FOR, JSON.stringify(everywhere))
  const [row] = await trx.query<{ id: string; created_at: Date }>(sql`
    insert into erasures (account_id, id, actor, counts, pending, created_at)
    values (${accountId}, coalesce(${entry?.id ?? null}::uuid, new_id()), ${actor}, ${JSON.stringify(counts)}, ${sealed},
      coalesce(${entry?.at ?? null}::timestamptz, clock_timestamp()))
    returning id, created_at`)
  const { id, created_at: at } = row!
  audit(trx, caller, 'contact_erased', { erasure_id: id })
  await queue.enqueue(trx, sweepErasure, { accountId, erasureId: id })
  if (!entry) await writeEntry(files, { account_id: accountId, id, at: at.toISOString(), marks })
  return id
}

/** Who had the address by the time that it was held is the same person; what they stood in is looked for, too. */
async function completed(trx: Trx, accountId: number, person: Person, ids: string[]): Promise<Person> {
  const others = ids.filter((id) => !person.ids.includes(id))
  const more = await Promise.all(others.map((id) => personOf(trx, accountId, { id })))
  const all = [person, ...more]
  return {
    ids,
    emails: person.emails,
    externalIds: [...new Set(all.flatMap((one) => one.externalIds))],
    importIds: [...new Set(all.flatMap((one) => one.importIds))],
  }
}

/** What the removal is going to take, by table. */
async function countRows(trx: Trx, accountId: number, ids: readonly string[]): Promise<Record<string, number>> {
  const of = sql`account_id = ${accountId} and contact_id = any(${[...ids]}::uuid[])`
  const [row] = await trx.query<Record<string, number>>(sql`
    select (select count(*) from events where ${of}) as events, (select count(*) from consents where ${of}) as consents,
      (select count(*) from list_members where ${of}) as list_members, (select count(*) from messages where ${of}) as messages,
      (select count(*) from confirmations where ${of}) as confirmations,
      (select count(*) from deliveries where account_id = ${accountId} and contact_ids && ${[...ids]}::uuid[]) as deliveries`)
  return row!
}

/**
 * Before the commit: should that fail, the next start erases whom it was asked to erase. The other way round, a copy of
 * before might bring them back.
 */
async function writeEntry(files: FileStore, entry: Entry & { marks: Mark[] }): Promise<void> {
  await files.write(journalKey(entry.account_id, entry.id), Readable.from([Buffer.from(JSON.stringify(entry))]))
}
