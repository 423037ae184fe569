import { Readable } from 'node:stream'
import sql from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'
import type { FileStore } from '../../files/store.ts'
import type { Caller } from '../../http/caller.ts'
import type { Queue } from '../../jobs/queue.ts'
import { notFound } from '../../lib/app-error.ts'
import { type Keyring, seal } from '../../lib/secret.ts'
import { audit } from '../accounts/audit.ts'
import { removeContacts } from '../contacts/remove.ts'
import { forgetSignUps } from '../forms/take.ts'
import { type Entry, journalKey } from './journal-entry.ts'
import { addressesOf, holdPerson, type Known, removePlaceholders } from './person.ts'
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
 * of the database that is put back learns of it. Throws not_found where an id is given that no contact has any more.
 * @param erasure `id` of the receipt, as `undertake` makes it before the transaction;
 *   `at` where an entry of the journal is applied, which then is not written anew
 * @returns false when that erasure has been applied already, by another process
 */
export async function erase(
  trx: Trx,
  { files, keyring, queue }: Parts,
  caller: Caller,
  known: Known,
  erasure: { id: string; at?: string },
): Promise<boolean> {
  const { accountId, actor } = caller
  const { id } = erasure
  // First of all: whoever applies the same entry of the journal at this moment is waited for.
  const [receipt] = await trx.query(sql`
    insert into erasures (account_id, id, actor) values (${accountId}, ${id}, ${actor}) on conflict do nothing returning id`)
  if (!receipt) return false
  // Before the address is held, for which whoever takes one would wait.
  let signUps = await forgetSignUps(trx, keyring, accountId, await addressesOf(trx, accountId, known))
  const held = await holdPerson(trx, keyring, accountId, known)
  if (!held) throw notFound()
  const { person, marks, placeholders } = held
  signUps += await forgetSignUps(trx, keyring, accountId, person.emails)
  const before = await countRows(trx, accountId, person.ids)
  await removeContacts(trx, person.ids, { accountId, changeSetId: null, source: 'erasure', keyring })
  removePlaceholders(trx, accountId, placeholders)
  const traces = await clearTraces(trx, accountId, person)
  const counts = { contacts: person.ids.length, ...before, ...traces, sign_ups: signUps }
  const sealed = seal(keyring, SEALED_FOR, JSON.stringify(person))
  audit(trx, caller, 'contact_erased', { erasure_id: id })
  await queue.enqueue(trx, sweepErasure, { accountId, erasureId: id })
  // The moment when all of it was done: by then it may have waited for others, who have read the person meanwhile.
  const [done] = await trx.query<{ at: Date }>(sql`
    update erasures set counts = ${JSON.stringify(counts)}, pending = ${sealed},
      created_at = coalesce(${erasure.at ?? null}::timestamptz, statement_timestamp())
    where account_id = ${accountId} and id = ${id} returning created_at as at`)
  await trx.settle()
  if (erasure.at === undefined)
    await writeEntry(files, { account_id: accountId, id, at: done!.at.toISOString(), marks })
  return true
}

/** What the removal is going to take, by table. */
async function countRows(trx: Trx, accountId: number, ids: readonly string[]): Promise<Record<string, number>> {
  const of = sql`account_id = ${accountId} and contact_id = any(${[...ids]}::uuid[])`
  const [row] = await trx.query<Record<string, number>>(sql`
    select (select count(*) from events where ${of}) as events, (select count(*) from consents where ${of}) as consents,
      (select count(*) from list_members where ${of}) as list_members, (select count(*) from messages where ${of}) as messages,
      (select count(*) from confirmations where ${of}) as confirmations, (select count(*) from soft_bounces where ${of}) as soft_bounces,
      (select count(*) from deliveries where account_id = ${accountId} and contact_ids && ${[...ids]}::uuid[]) as deliveries`)
  return row!
}

/**
 * Last before the commit: should the process end in between, the next start erases whom it was asked to erase. The other
 * way round, a copy of before might bring them back.
 */
async function writeEntry(files: FileStore, entry: Entry): Promise<void> {
  await files.write(journalKey(entry.account_id, entry.id), Readable.from([Buffer.from(JSON.stringify(entry))]))
}
