import { createHash, randomBytes } from 'node:crypto'
import sql from 'sql-template-tag'
import type { Queryable, Trx } from '../../db/database.ts'
import { LONGEST_SESSION_DAYS } from '../../http/browser.ts'
import type { Visit } from '../../http/caller.ts'
import { auditUser } from './audit.ts'

/** A session that is not used for so long ends. */
export const IDLE_SESSION_DAYS = 14

/** Of one user: who signs in once more ends the session that was not used for longest. */
const MOST_SESSIONS = 50

const LONGEST_AGENT = 300

/** Of what is handed out once, such as sessions and links: 256 random bits, so a plain SHA-256 keeps it. */
export function newSecretToken(): string {
  return randomBytes(32).toString('base64url')
}

export function hashSecretToken(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

/** False for what no session can be, and nobody need look up. */
export function isSessionLike(text: string): boolean {
  return /^[\w-]{43}$/.test(text)
}

/** Where someone signs in. */
export interface Place {
  ip: string | null
  /** As `senderOf` tells networks apart. */
  network: string
  agent: string | undefined
}

/** Begins a session and answers what its cookie holds: kept nowhere else. */
export async function beginSession(trx: Trx, userId: number, { ip, agent }: Place): Promise<string> {
  const token = newSecretToken()
  await trx.query(sql`
    insert into sessions (user_id, hash, ip, agent, expires_at)
    values (${userId}, ${hashSecretToken(token)}, ${ip}::inet, ${agent?.slice(0, LONGEST_AGENT).toWellFormed() ?? null},
      statement_timestamp() + make_interval(days => ${IDLE_SESSION_DAYS}))`)
  auditUser(trx, { userId, ip }, 'signed_in')
  trx.send(sql`
    delete from sessions where user_id = ${userId} and id not in (
      select id from sessions where user_id = ${userId} order by seen_at desc, id desc limit ${MOST_SESSIONS})`)
  return token
}

/** Whose session it is, and what they are in the account; undefined when it has ended. */
export async function findVisit(db: Queryable, token: string, accountId: number | null): Promise<Visit | undefined> {
  const [row] = await db.query<{ id: number; user_id: number; role: Visit['role'] }>(sql`
    select s.id, s.user_id, m.role
    from sessions as s left join account_users as m on m.user_id = s.user_id and m.account_id = ${accountId}
    where s.hash = ${hashSecretToken(token)} and s.expires_at > now()`)
  return row && { sessionId: row.id, userId: row.user_id, role: row.role }
}

/** Notes that a session is in use, which moves its end on: at most once a minute, and never beyond its longest. */
export async function touchSession(db: Queryable, id: number): Promise<void> {
  await db.query(sql`
    update sessions set seen_at = statement_timestamp(), expires_at = least(
      statement_timestamp() + make_interval(days => ${IDLE_SESSION_DAYS}),
      created_at + make_interval(days => ${LONGEST_SESSION_DAYS}))
    where id = ${id} and seen_at < now() - interval '1 minute'`)
}

export interface Session {
  id: number
  ip: string | null
  agent: string | null
  createdAt: Date
  seenAt: Date
  expiresAt: Date
}

/** Where a user is signed in, the last used first. */
export async function listSessions(db: Queryable, userId: number): Promise<Session[]> {
  return db.query<Session>(sql`
    select id, host(ip) as ip, agent, created_at as "createdAt", seen_at as "seenAt", expires_at as "expiresAt"
    from sessions where user_id = ${userId} and expires_at > now() order by seen_at desc, id desc`)
}

/** Ends the session of this cookie, if it is one. */
export async function endSessionOf(db: Queryable, token: string): Promise<void> {
  await db.query(sql`delete from sessions where hash = ${hashSecretToken(token)}`)
}

/** Ends one of a user's sessions. False when there is no such one. */
export async function endSession(db: Queryable, userId: number, id: number): Promise<boolean> {
  const gone = await db.query(sql`delete from sessions where user_id = ${userId} and id = ${id} returning id`)
  return gone.length > 0
}

/** Ends all sessions of a user, but for the one that is kept. */
export async function endSessions(db: Queryable, userId: number, { except }: { except?: number } = {}): Promise<void> {
  await db.query(sql`delete from sessions where user_id = ${userId} and id is distinct from ${except ?? null}`)
}

/** Removes sessions and links that have ended. */
export async function forgetEnded(db: Queryable): Promise<void> {
  await db.query(sql`
    with gone as (delete from sessions where expires_at <= now())
    delete from user_links where expires_at <= now() or (purpose = 'setup' and exists (select from users))`)
}
