import sql from 'sql-template-tag'
import type { Queryable, Trx } from '../../db/database.ts'
import type { Caller, Role } from '../../http/caller.ts'
import { AppError, invalid, notFound } from '../../lib/app-error.ts'
import { audit, auditUser } from './audit.ts'
import { hashSecretToken, newSecretToken } from './sessions.ts'

/** What a link is for. */
export type Purpose = 'setup' | 'invitation' | 'reset'

export const INVITATION_DAYS = 7
export const RESET_HOURS = 24

/** Links to set up that work at once: each start prints one, as what it printed before can not be read again. */
const MOST_SETUP_LINKS = 20

export interface Invitation {
  id: number
  email: string
  role: Role
  createdAt: Date
  expiresAt: Date
}

const INVITATION = sql`id, email, role, created_at as "createdAt", expires_at as "expiresAt"`

/** The page of the admin UI that a link leads to. What stands behind the # is sent to no server, and so is in no log. */
export function linkTo(url: string, token: string): string {
  return `${url.replace(/\/$/, '')}/setup#${token}`
}

/** What stands in a link by which the first user is made, with all accounts; undefined when there is a user already. */
export async function makeSetupLink(trx: Trx): Promise<string | undefined> {
  const [user] = await trx.query(sql`select from users limit 1`)
  if (user) return undefined
  const token = newSecretToken()
  await trx.query(sql`
    insert into user_links (hash, purpose, actor) values (${hashSecretToken(token)}, 'setup', 'system')`)
  trx.send(sql`
    delete from user_links where purpose = 'setup' and id not in (
      select id from user_links where purpose = 'setup' order by id desc limit ${MOST_SETUP_LINKS})`)
  return token
}

/**
 * Invites someone into an account, by a link to hand to them; a former one for the same address works no more. Throws
 * `invalid` for whoever is in the account already.
 */
export async function invite(
  trx: Trx,
  caller: Caller,
  { email, role }: { email: string; role: Role },
): Promise<Invitation & { token: string }> {
  const { accountId } = caller
  const [member] = await trx.query(sql`
    select from account_users as m join users as u on u.id = m.user_id
    where m.account_id = ${accountId} and u.email = ${email}`)
  if (member) throw invalid({ email: ['is a user of this account already'] })
  const token = newSecretToken()
  const [made] = await trx.query<Invitation>(sql`
    insert into user_links (hash, purpose, account_id, email, role, actor, expires_at)
    values (${hashSecretToken(token)}, 'invitation', ${accountId}, ${email}, ${role}, ${caller.actor},
      statement_timestamp() + make_interval(days => ${INVITATION_DAYS}))
    on conflict (account_id, email) do update set hash = excluded.hash, role = excluded.role, actor = excluded.actor,
      created_at = excluded.created_at, expires_at = excluded.expires_at
    returning ${INVITATION}`)
  audit(trx, caller, 'user_invited', { invitation_id: made!.id, role })
  return { ...made!, token }
}

/** Invitations that wait, the latest first. */
export async function listInvitations(db: Queryable, accountId: number): Promise<Invitation[]> {
  return db.query<Invitation>(sql`
    select ${INVITATION} from user_links
    where account_id = ${accountId} and purpose = 'invitation' and expires_at > now() order by created_at desc, id desc`)
}

/** Throws not_found. */
export async function withdrawInvitation(trx: Trx, caller: Caller, id: number): Promise<void> {
  const { accountId } = caller
  const gone = await trx.query(sql`
    delete from user_links where account_id = ${accountId} and purpose = 'invitation' and id = ${id} returning id`)
  if (gone.length === 0) throw notFound()
  audit(trx, caller, 'invitation_withdrawn', { invitation_id: id })
}

/**
 * A link by which a user of the account sets a new password. Whoever hands it out could use it, and so enter all that the
 * user may enter: so only who is an administrator there as well gets one. Throws not_found and account_forbidden.
 */
export async function makeResetLink(trx: Trx, caller: Caller, userId: number): Promise<string> {
  const { accountId, actor } = caller
  const asker = /^user:(\d+)$/.exec(actor)?.[1] ?? null
  // Locked until the link is there: whoever lets the user into another account waits, and then voids it.
  const [user] = await trx.query(sql`
    select from account_users as m join users as u on u.id = m.user_id
    where m.account_id = ${accountId} and m.user_id = ${userId} for update of u`)
  if (!user) throw notFound()
  const [beyond] = await trx.query(sql`
    select from account_users as theirs
    where theirs.user_id = ${userId} and theirs.account_id <> ${accountId} and not exists (
      select from account_users as own
      where own.account_id = theirs.account_id and own.user_id = ${asker}::bigint and own.role = 'admin')
    limit 1`)
  if (beyond) {
    throw new AppError(
      'account_forbidden',
      'This user also enters an account that you do not administer: they change their password themselves, or whoever ' +
        'runs the service makes a link with rollcall user reset-password',
    )
  }
  return insertResetLink(trx, userId, caller)
}

/** The same for whoever runs the service. */
export async function insertResetLink(
  trx: Trx,
  userId: number,
  { actor, ip }: Pick<Caller, 'actor' | 'ip'>,
): Promise<string> {
  const token = newSecretToken()
  trx.send(sql`delete from user_links where user_id = ${userId} and purpose = 'reset'`)
  await trx.query(sql`
    insert into user_links (hash, purpose, user_id, actor, expires_at)
    values (${hashSecretToken(token)}, 'reset', ${userId}, ${actor},
      statement_timestamp() + make_interval(hours => ${RESET_HOURS}))`)
  auditUser(trx, { userId, ip, actor }, 'password_reset_link_made', { user_id: userId })
  return token
}

/** A link as whoever holds it may know it. */
export type LinkSeen =
  | { id: number; purpose: 'setup' }
  | {
      id: number
      purpose: 'invitation'
      accountId: number
      account: string
      email: string
      role: Role
      isUser: boolean
    }
  | { id: number; purpose: 'reset'; userId: number; email: string }

/** Says nothing of why a link does not work: who tries links learns nothing. */
export const linkGone = () =>
  new AppError(
    'gone',
    'This link does not work: it was used, withdrawn or replaced, or its time is over. Ask for a new one',
  )

/** What a link is for; changes nothing. Throws `gone`. */
export async function lookAtLink(db: Queryable, token: string): Promise<LinkSeen> {
  const [row] = await db.query<{
    id: number
    purpose: Purpose
    account_id: number
    account: string
    email: string
    role: Role
    user_id: number
    is_user: boolean
  }>(sql`
    select l.id, l.purpose, l.account_id, a.name as account, coalesce(l.email, u.email) as email, l.role, l.user_id,
      exists (select from users as known where known.email = l.email) as is_user
    from user_links as l left join accounts as a on a.id = l.account_id left join users as u on u.id = l.user_id
    where l.hash = ${hashSecretToken(token)} and (l.expires_at is null or l.expires_at > now())
      and (l.purpose <> 'setup' or not exists (select from users))`)
  if (!row) throw linkGone()
  const { id, email, account, role } = row
  switch (row.purpose) {
    case 'setup':
      return { id, purpose: 'setup' }
    case 'invitation':
      return { id, purpose: 'invitation', accountId: row.account_id, account, email, role, isUser: row.is_user }
    case 'reset':
      return { id, purpose: 'reset', userId: row.user_id, email }
  }
}
