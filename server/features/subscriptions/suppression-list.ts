import sql from 'sql-template-tag'
import type { Queryable, Trx } from '../../db/database.ts'
import type { Caller } from '../../http/caller.ts'
import { notFound } from '../../lib/app-error.ts'
import { audit } from '../accounts/audit.ts'
import type { Entry } from './suppression-entry.ts'
import { suppressionValues } from './suppressions.ts'

export interface SuppressionRow {
  id: number
  kind: Entry['kind']
  value: string
  reason: string
  source: string
  at: Date
  expires_at: Date | null
}

/** Entries in one statement. */
const BATCH = 10_000

/**
 * Adds entries, each once; of one that is there already, the later end counts, none being the latest. One that a complaint told
 * by a provider has left becomes the caller's, so that the person's own confirmation, which ends a complaint, does not end it. Answers how many were
 * new. `source` is where they come from: who added them is in the audit log.
 */
export async function addSuppressions(
  trx: Trx,
  caller: Caller,
  entries: readonly Entry[],
  { reason, source, expiresAt }: { reason: string; source: string; expiresAt: Date | null },
): Promise<{ added: number; known: number }> {
  const { accountId } = caller
  // In one order, so that two who add the same wait for each other instead of deadlocking.
  const each = [...new Map(entries.map((entry) => [`${entry.kind} ${entry.value}`, entry])).entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, entry]) => entry)
  let added = 0
  for (let at = 0; at < each.length; at += BATCH) {
    const some = each.slice(at, at + BATCH)
    const [counted] = await trx.query<{ added: number }>(sql`
      with written as (
        insert into suppressions as s (account_id, kind, value, reason, source, expires_at)
        select ${accountId}::bigint, kind, value, ${reason}, ${source}, ${expiresAt}::timestamptz
        from unnest(${some.map(({ kind }) => kind)}::text[], ${some.map(({ value }) => value)}::text[]) with ordinality as e (kind, value, nth)
        order by nth
        on conflict (account_id, kind, value) do update
          set reason = case when s.reason = 'complaint' and starts_with(s.source, 'provider:') then excluded.reason else s.reason end,
            source = case when s.reason = 'complaint' and starts_with(s.source, 'provider:') then excluded.source else s.source end,
            expires_at = case when s.expires_at is null or excluded.expires_at is null then null else greatest(s.expires_at, excluded.expires_at) end
        returning xmax = 0 as is_new -- true for an insert
      )
      select count(*) filter (where is_new) as added from written`)
    added += counted!.added
  }
  tellFollower(trx, accountId, each)
  const counts = { added, known: each.length - added }
  audit(trx, caller, 'suppressions_added', { ...counts, reason, source })
  return counts
}

interface Asked {
  kind?: string | undefined
  reason?: string | undefined
  /** Those that forbid mail to this address: itself, its hash, its domain or one above it. */
  email?: string | undefined
  limit: number
  offset: number
}

/** The latest first. What removals and erasures have left names nobody, and is not among them. */
export async function listSuppressions(
  db: Queryable,
  accountId: number,
  { kind, reason, email, limit, offset }: Asked,
): Promise<{ rows: SuppressionRow[]; total: number }> {
  const which = sql`account_id = ${accountId} and kind <> 'hmac'
    ${kind === undefined ? sql`` : sql`and kind = ${kind}`} ${reason === undefined ? sql`` : sql`and reason = ${reason}`}
    ${email === undefined ? sql`` : sql`and kind in ('address', 'sha256', 'domain') and value = any(${suppressionValues(email)}::text[])`}`
  const [rows, [total]] = await Promise.all([
    db.query<SuppressionRow>(sql`
      select id, kind, value, reason, source, at, expires_at from suppressions where ${which}
      order by id desc limit ${limit} offset ${offset}`),
    db.query<{ count: number }>(sql`select count(*) as count from suppressions where ${which}`),
  ])
  return { rows, total: total!.count }
}

/**
 * Lets an address or a domain be mailed again, as far as this entry goes: who has left stays as they are. Throws not_found,
 * also for what removals and erasures have left, as that is somebody's own word.
 */
export async function deleteSuppression(trx: Trx, caller: Caller, id: number): Promise<void> {
  const [gone] = await trx.query<Entry & { reason: string }>(sql`
    delete from suppressions where account_id = ${caller.accountId} and id = ${id} and kind <> 'hmac' returning kind, value, reason`)
  if (!gone) throw notFound()
  tellFollower(trx, caller.accountId, [gone])
  audit(trx, caller, 'suppression_deleted', { id, kind: gone.kind, reason: gone.reason })
}

/** Addresses of which each is looked up; of more, and of hashes and domains, everyone is looked at. */
const LOOKED_UP = 1000

/** Who may be mailed is not the same any more: smart lists that ask for it are compared, behind the acts before this. */
export function tellFollower(trx: Trx, accountId: number, entries: readonly Entry[]): void {
  const areFew = entries.length <= LOOKED_UP && entries.every(({ kind }) => kind === 'address')
  const details = areFew ? { addresses: entries.map(({ value }) => value) } : {}
  trx.send(sql`
    insert into outbox (account_id, event_ids, size, kind, details)
    select ${accountId}::bigint, '{}', 0, 'suppressions', ${JSON.stringify(details)}::jsonb
    where exists (select from lists where account_id = ${accountId} and track and clock is not null) -- as whoever asks for it has`)
}
