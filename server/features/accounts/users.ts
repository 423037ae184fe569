import sql from 'sql-template-tag'
import type { Queryable, Trx } from '../../db/database.ts'
import type { Caller, Role } from '../../http/caller.ts'
import { AppError, invalid, notFound } from '../../lib/app-error.ts'
import { normaliseEmail } from '../../lib/email.ts'
import { isStorable } from '../../lib/text.ts'
import { audit } from './audit.ts'

export interface User {
  id: number
  email: string
  name: string
}

/** A user as an account sees them. */
export interface Member extends User {
  role: Role
  createdAt: Date
  lastSeenAt: Date | null
}

/** An account as a user sees it. */
export interface AccountEntered {
  id: number
  name: string
  role: Role
  settings: { time_zone?: string; color?: string }
}

const LONGEST_NAME = 80

/** The address in its one form. Throws `invalid`. */
export function userEmail(text: string): string {
  const read = normaliseEmail(text)
  if (!read.ok) throw invalid({ email: read.problem })
  return read.email
}

/** Throws `invalid`. */
export function userName(text: string): string {
  const name = text.trim()
  if (name === '' || name.length > LONGEST_NAME || !isStorable(name))
    throw invalid({ name: [`must have 1 to ${LONGEST_NAME} characters`] })
  return name
}

/** With the hash of the password, for whoever signs in. */
export async function findUserByEmail(
  db: Queryable,
  email: string,
): Promise<(User & { password: string }) | undefined> {
  const [row] = await db.query<User & { password: string }>(
    sql`select id, email, name, password from users where email = ${email}`,
  )
  return row
}

export async function findUser(db: Queryable, id: number): Promise<(User & { password: string }) | undefined> {
  const [row] = await db.query<User & { password: string }>(
    sql`select id, email, name, password from users where id = ${id}`,
  )
  return row
}

/** Throws `conflict` when someone has taken the address meanwhile. */
export async function createUser(
  trx: Trx,
  { email, name, password }: { email: string; name: string; password: string },
): Promise<number> {
  const [row] = await trx.query<{ id: number }>(sql`
    insert into users (email, name, password) values (${email}, ${name}, ${password})
    on conflict (email) do nothing returning id`)
  if (!row) throw new AppError('conflict', 'Someone has become a user with that address just now: try again')
  return row.id
}

export async function setPassword(db: Queryable, userId: number, hash: string): Promise<void> {
  await db.query(sql`update users set password = ${hash}, updated_at = statement_timestamp() where id = ${userId}`)
}

export async function renameUser(db: Queryable, userId: number, name: string): Promise<void> {
  await db.query(
    sql`update users set name = ${userName(name)}, updated_at = statement_timestamp() where id = ${userId}`,
  )
}

/** The accounts that a user may enter, by name. */
export async function accountsOf(db: Queryable, userId: number): Promise<AccountEntered[]> {
  return db.query<AccountEntered>(sql`
    select a.id, a.name, m.role, a.settings from account_users as m join accounts as a on a.id = m.account_id
    where m.user_id = ${userId} order by lower(a.name), a.id`)
}

/** Who may enter an account, by name. */
export async function listMembers(db: Queryable, accountId: number): Promise<Member[]> {
  return db.query<Member>(sql`
    select u.id, u.email, u.name, m.role, m.created_at as "createdAt",
      (select max(s.seen_at) from sessions as s where s.user_id = u.id) as "lastSeenAt"
    from account_users as m join users as u on u.id = m.user_id
    where m.account_id = ${accountId} order by lower(u.name), u.id`)
}

/** Throws not_found, and `conflict` when the account would be left without an administrator. */
export async function changeRole(trx: Trx, caller: Caller, userId: number, role: Role): Promise<void> {
  const { accountId } = caller
  const former = await roleForChange(trx, accountId, userId)
  if (former === role) return
  if (former === 'admin') await requireAnotherAdmin(trx, accountId, userId)
  trx.send(sql`update account_users set role = ${role} where account_id = ${accountId} and user_id = ${userId}`)
  audit(trx, caller, 'user_role_changed', { user_id: userId, role: { from: former, to: role } })
}

/**
 * Takes a user out of an account; whoever is then in none is no user any more, and their sessions end. Throws not_found,
 * and `conflict` when the account would be left without an administrator.
 */
export async function removeMember(trx: Trx, caller: Caller, userId: number): Promise<void> {
  const { accountId } = caller
  trx.send(sql`select from users where id = ${userId} for update`) // whoever lets them in elsewhere waits, or we for them
  const role = await roleForChange(trx, accountId, userId)
  if (role === 'admin') await requireAnotherAdmin(trx, accountId, userId)
  trx.send(sql`delete from account_users where account_id = ${accountId} and user_id = ${userId}`)
  trx.send(sql`
    delete from users where id = ${userId} and not exists (select from account_users where user_id = ${userId})`)
  audit(trx, caller, 'user_removed', { user_id: userId, role })
}

/** Locks all administrators of the account in one order, so that of two who remove each other one comes second. */
async function roleForChange(trx: Trx, accountId: number, userId: number): Promise<Role> {
  const rows = await trx.query<{ user_id: number; role: Role }>(sql`
    select user_id, role from account_users
    where account_id = ${accountId} and (role = 'admin' or user_id = ${userId}) order by user_id for update`)
  const row = rows.find(({ user_id }) => user_id === userId)
  if (!row) throw notFound()
  return row.role
}

async function requireAnotherAdmin(trx: Trx, accountId: number, userId: number): Promise<void> {
  const [other] = await trx.query(sql`
    select from account_users where account_id = ${accountId} and role = 'admin' and user_id <> ${userId} limit 1`)
  if (!other) throw new AppError('conflict', 'The account must keep an administrator: make another user one first')
}
