import { hash } from 'node:crypto'
import sql, { type Sql } from 'sql-template-tag'
import type { Queryable, Trx } from '../../db/database.ts'
import { hmac, hmacAll, type Keyring, type Mark } from '../../lib/secret.ts'
import { LEAVES_SUPPRESSION, type State } from './states.ts'
import type { Past } from './transitions.ts'

const PURPOSE = 'suppression'

/** What the suppressions say to an address that is being entered. */
export interface Ruling {
  /** What a removal or an erasure left: `withdrawn` enters as unsubscribed, `erased` does not come back at all. */
  past: Past
  /** Whether the address, its hash or its domain stands in the list of those that may not be mailed. */
  suppressed: boolean
}

/**
 * Reads the suppressions of an address. Must run in a statement after the one that inserts it: an erasure writes its
 * mark, then waits for the address's row, so only a later snapshot is sure to see the mark.
 */
export async function rulingOn(trx: Queryable, keyring: Keyring, accountId: number, email: string): Promise<Ruling> {
  const values = [...suppressionValues(email), ...hmacAll(keyring, PURPOSE, email).map(({ value }) => value)]
  const found = await trx.query<{ kind: string; reason: string }>(sql`
    select kind, reason from suppressions_of(${accountId}, ${values})`)
  const marks = found.filter(({ kind }) => kind === 'hmac').map(({ reason }) => reason)
  return {
    past: marks.includes('erased') ? 'erased' : marks.length > 0 ? 'withdrawn' : 'absent',
    suppressed: found.some(({ kind }) => kind !== 'hmac'),
  }
}

/** Leaves an HMAC of each address that is removed while it may not be mailed. */
export function leaveWithdrawn(
  trx: Trx,
  keyring: Keyring,
  accountId: number,
  removed: readonly { email: string; state: State }[],
  source: string,
): void {
  const marks = removed
    .filter(({ state }) => LEAVES_SUPPRESSION.includes(state))
    .map(({ email }) => hmac(keyring, PURPOSE, email))
  if (marks.length === 0) return
  trx.send(sql`
    insert into suppressions (account_id, kind, value, key_id, reason, source)
    select ${accountId}, 'hmac', value, key_id, 'withdrawn', ${source}
    from unnest(${marks.map((mark) => mark.value)}::text[], ${marks.map((mark) => mark.keyId)}::text[]) as mark (value, key_id)
    on conflict do nothing`)
}

/** Leaves an HMAC of each address, at which it does not come back; answers them. In force for good, whatever stood there before. */
export function leaveErased(
  trx: Trx,
  keyring: Keyring,
  accountId: number,
  emails: readonly string[],
  source: string,
): Mark[] {
  const marks = emails.map((email) => hmac(keyring, PURPOSE, email))
  leaveMarks(trx, accountId, marks, source)
  return marks
}

/** The same of addresses that are known by their marks alone. */
export function leaveMarks(trx: Trx, accountId: number, marks: readonly Mark[], source: string): void {
  trx.send(sql`
    insert into suppressions (account_id, kind, value, key_id, reason, source)
    select ${accountId}::bigint, 'hmac', value, key_id, 'erased', ${source}
    from unnest(${marks.map((mark) => mark.value)}::text[], ${marks.map((mark) => mark.keyId)}::text[]) as mark (value, key_id)
    on conflict (account_id, kind, value) do update set reason = 'erased', expires_at = null`)
}

/** Which of these marks an address has by any key of the ring. */
export function marksOfAddress(keyring: Keyring, email: string): string[] {
  return hmacAll(keyring, PURPOSE, email).map(({ value }) => value)
}

/** Every entry that would forbid mail to an address. `*.example.com` stands for all domains below example.com. */
export function suppressionValues(email: string): string[] {
  const labels = email.slice(email.lastIndexOf('@') + 1).split('.')
  return [
    email,
    hash('sha256', email),
    labels.join('.'),
    ...labels.slice(1).map((_, at) => `*.${labels.slice(at + 1).join('.')}`),
  ]
}

export interface Sendable {
  allowed: boolean
  /** Why not; null when allowed. A state, or `suppressed`. */
  reason: string | null
}

/** Whether someone in this state may be mailed now, and why not. */
export function sendable(state: State, suppressed: boolean): Sendable {
  if (state !== 'subscribed') return { allowed: false, reason: state }
  return suppressed ? { allowed: false, reason: 'suppressed' } : { allowed: true, reason: null }
}

/**
 * The same entries as a condition over `contacts as c`, for statements that look at many: PostgreSQL turns each part into
 * one hash table. A few contacts ask `is_suppressed`, which does not plan it all anew with every statement. Never null.
 */
export const SUPPRESSED: Sql = suppressedAt(sql`now()`)

/** The same at another moment: an entry may end. */
export function suppressedAt(now: Sql): Sql {
  const inForce = sql`(s.expires_at is null or s.expires_at > ${now})`
  return sql`(
  exists (select from suppressions as s where s.account_id = c.account_id
    and s.kind = 'address' and s.value = c.email and ${inForce})
  or exists (select from suppressions as s where s.account_id = c.account_id
    and s.kind = 'sha256' and s.value = encode(sha256(convert_to(c.email, 'UTF8')), 'hex') and ${inForce})
  or exists (select from suppressions as s where s.account_id = c.account_id and s.kind = 'domain'
    and s.value = any(array(
      select case at when 1 then '' else '*.' end || array_to_string(labels[at:], '.')
      from string_to_array(split_part(c.email, '@', 2), '.') as labels, generate_subscripts(labels, 1) as at))
    and ${inForce}))`
}

/** When the entries end that now forbid mail to an address, over `contacts as c`: an array of texts. */
export function suppressionEnds(now: Sql): Sql {
  return sql`array(
    select s.expires_at::text from suppressions as s
    where s.account_id = c.account_id and s.expires_at > ${now} and (
      (s.kind = 'address' and s.value = c.email)
      or (s.kind = 'sha256' and s.value = encode(sha256(convert_to(c.email, 'UTF8')), 'hex'))
      or (s.kind = 'domain' and s.value = any(array(
        select case at when 1 then '' else '*.' end || array_to_string(labels[at:], '.')
        from string_to_array(split_part(c.email, '@', 2), '.') as labels, generate_subscripts(labels, 1) as at)))))`
}

/** Whether removals or erasures have left marks in an account. */
export async function hasMarks(db: Queryable, accountId: number): Promise<boolean> {
  const [any] = await db.query<{ found: boolean }>(
    sql`select exists (select from suppressions where account_id = ${accountId} and kind = 'hmac') as found`,
  )
  return any!.found
}

/** What removals and erasures have left of many addresses: of those alone of which there is a mark. */
export async function marksOf(
  db: Queryable,
  keyring: Keyring,
  accountId: number,
  emails: readonly string[],
): Promise<Map<string, 'withdrawn' | 'erased'>> {
  const emailOf = new Map(
    emails.flatMap((email) => hmacAll(keyring, PURPOSE, email).map(({ value }) => [value, email] as const)),
  )
  const found = await db.query<{ value: string; reason: string }>(sql`
    select value, reason from suppressions
    where account_id = ${accountId} and kind = 'hmac' and value = any(${[...emailOf.keys()]}::text[])
      and (expires_at is null or expires_at > now())`)
  const marks = new Map<string, 'withdrawn' | 'erased'>()
  for (const { value, reason } of found) {
    const email = emailOf.get(value)!
    if (marks.get(email) !== 'erased') marks.set(email, reason === 'erased' ? 'erased' : 'withdrawn')
  }
  return marks
}

/** Takes away what the person's own earlier acts, an erasure too, have left of an address, now that they want mail again. */
export function forgiveWithdrawal(trx: Trx, keyring: Keyring, accountId: number, email: string): void {
  trx.send(sql`
    delete from suppressions
    where account_id = ${accountId} and (
      (kind = 'hmac' and value = any(${hmacAll(keyring, PURPOSE, email).map(({ value }) => value)}::text[]))
      or (kind = 'address' and reason = 'complaint' and value = ${email}))`)
}
