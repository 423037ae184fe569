import sql from 'sql-template-tag'
import type { Database, Trx } from '../../db/database.ts'
import type { Keyring } from '../../lib/secret.ts'
import { finishChangeSet, openChangeSet } from '../activity/change-sets.ts'
import { recording } from '../activity/record.ts'
import { voidConfirmations } from '../subscriptions/confirmations.ts'
import type { State } from '../subscriptions/states.ts'
import { marksOf } from '../subscriptions/suppressions.ts'
import { move } from '../subscriptions/transitions.ts'
import { removeContacts } from './remove.ts'

interface Options {
  db: Database
  keyring: Keyring
  /** PENDING_RETENTION_DAYS. */
  days: number
}

interface Waiting {
  id: string
  email: string
  state_reason: string | null
  state_before: State | null
}

/** People of one transaction: each is held until it ends. */
const BATCH = 1000
const ACTOR = 'system'

/**
 * Ends the waiting of people who were asked and have not answered for so long, and have no link left that works: they are
 * again what they were before, and who was created pending is removed. Each batch is a change set, which says whom.
 */
export async function expirePending(options: Options, batch = BATCH): Promise<void> {
  const { db, days } = options
  const accounts = await db.query<{ id: number }>(sql`
    select distinct account_id as id from contacts where state = 'pending' and state_at < now() - make_interval(days => ${days})`)
  await Promise.all(
    accounts.map(async ({ id }) => {
      while ((await db.transaction((trx) => expireBatch(trx, id, options, batch))) === batch);
    }),
  )
}

/** Links that have not worked for a while. Until then who follows one twice is told that it has. */
export async function forgetConfirmations(db: Database): Promise<void> {
  const old = sql`expires_at < now() - interval '30 days'`
  const accounts = await db.query<{ id: number }>(sql`select distinct account_id as id from confirmations where ${old}`)
  await Promise.all(
    accounts.map(({ id }) => db.query(sql`delete from confirmations where account_id = ${id} and ${old}`)),
  )
}

/** Who is being changed by others at this moment is left to the next hour. Answers for how many people it ended. */
async function expireBatch(trx: Trx, accountId: number, { keyring, days }: Options, batch: number): Promise<number> {
  const due = await trx.query<Waiting>(sql`
    select c.id, c.email, c.state_reason, c.state_before from contacts as c
    where c.account_id = ${accountId} and c.state = 'pending' and c.state_at < now() - make_interval(days => ${days})
      and not exists (
        select from confirmations as k where k.account_id = ${accountId} and k.contact_id = c.id and k.used_at is null and k.expires_at > now())
    order by c.state_at limit ${batch} for update skip locked`)
  if (due.length === 0) return 0
  const id = await openChangeSet(trx, accountId, { kind: 'pending_expiry', actor: ACTOR, options: { days } })
  const created = due.filter(({ state_before }) => state_before === null)
  const asked = due.filter(({ state_before }) => state_before !== null)
  const marks = await marksOf(
    trx,
    keyring,
    accountId,
    asked.map(({ email }) => email),
  )
  restore(trx, accountId, id, asked, new Set(marks.keys()))
  const removed = await removeContacts(
    trx,
    created.map((contact) => contact.id),
    { accountId, changeSetId: id, source: ACTOR, keyring },
  )
  trx.send(sql`
    insert into change_rows (account_id, change_set_id, line, action, contact_id)
    select ${accountId}, ${id}, ${asked.length}::bigint + at, 'deleted', gone from unnest(${removed}::uuid[]) with ordinality as t (gone, at)`)
  finishChangeSet(trx, accountId, id, 'pending_expiry', { deleted: removed.length, updated: asked.length })
  return due.length
}

/** Gives people back the state before they were asked, each with an event and a row. Who had left before that has left again. */
function restore(
  trx: Trx,
  accountId: number,
  changeSetId: number,
  people: readonly Waiting[],
  marked: ReadonlySet<string>,
): void {
  if (people.length === 0) return
  const outcomes = people.map((person) =>
    move({ ...person, state: 'pending' }, marked.has(person.email) ? 'address_withdrawn' : 'pending_expires'),
  )
  const standings = outcomes.map(
    (outcome) => (outcome as { standing: { state: State; state_reason: string } }).standing,
  )
  const acts = sql`
    select id as contact_id, '{updated}'::text[] as types, null::text as name, null::timestamptz as at,
      jsonb_build_object('state', jsonb_build_object('from', 'pending', 'to', state)) as data
    from expired order by id`
  trx.send(sql`
    with expired as (
      select * from unnest(${people.map(({ id }) => id)}::uuid[], ${standings.map(({ state }) => state)}::text[],
        ${standings.map(({ state_reason }) => state_reason)}::text[]) with ordinality as e (id, state, reason, line)
    ), changed as (
      update contacts as c set state = e.state, state_reason = e.reason, state_before = null,
        state_at = statement_timestamp(), updated_at = statement_timestamp()
      from expired as e where c.account_id = ${accountId} and c.id = e.id
    ), kept as (
      insert into change_rows (account_id, change_set_id, line, action, contact_id, before, after)
      select ${accountId}::bigint, ${changeSetId}::bigint, line, 'updated', id, '{"state": "pending"}', jsonb_build_object('state', state)
      from expired
    ), ${recording(accountId, acts, changeSetId)} select`)
  voidConfirmations(
    trx,
    accountId,
    people.map(({ id }) => id),
  )
}
