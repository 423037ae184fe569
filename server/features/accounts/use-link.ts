import sql from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'
import { together } from '../../lib/app-error.ts'
import { audit, auditUser } from './audit.ts'
import { checkPassword } from './passwords.ts'
import { beginSession, endSessions, hashSecretToken, type Place } from './sessions.ts'
import { type Tools, wrongPassword } from './sign-in.ts'
import { type LinkSeen, linkGone, lookAtLink } from './user-links.ts'
import { createUser, findUserByEmail, setPassword, userEmail, userName } from './users.ts'

/** What whoever follows a link has filled in. */
export interface Given {
  email?: string | undefined
  name?: string | undefined
  password: string
}

/** Who someone is known or becomes by a link, before anything is locked: hashing takes its time. */
type Identity = { known: number } | { email: string; name: string; hash: string }

/**
 * Uses up a link, and signs its user in; answers what the cookie holds. An invitation of somebody who is a user already
 * asks for the password that they have. Throws `gone`, `invalid`, wrong_password and rate_limited.
 */
export async function useLink(
  { db, passwords, attempts }: Tools,
  token: string,
  given: Given,
  place: Place,
): Promise<string> {
  const link = await lookAtLink(db, token)
  const identity =
    link.purpose === 'invitation' && link.isUser
      ? await knownUser(link.email)
      : await newPassword(link.purpose === 'setup' ? (given.email ?? '') : link.email)
  return db.transaction(async (trx) => {
    const userId = await (link.purpose === 'setup' ? setUp(trx, identity) : take(trx, link, identity))
    return beginSession(trx, userId, place)
  })

  async function knownUser(email: string): Promise<Identity> {
    const takeBack = attempts.take(email, place.network)
    const user = await findUserByEmail(db, email)
    if (!(await passwords.is(given.password, user?.password)) || !user) throw wrongPassword()
    takeBack()
    return { known: user.id }
  }

  async function newPassword(text: string): Promise<Identity> {
    const [email, name] = await together(
      () => userEmail(text),
      () => (link.purpose === 'reset' ? '' : userName(given.name ?? '')),
      () => checkPassword(given.password, text),
    )
    return { email, name, hash: await passwords.hash(given.password) }
  }

  /** The first user, with all accounts that there are. Of two who use links at once, the second finds them gone. */
  async function setUp(trx: Trx, identity: Identity): Promise<number> {
    const links = await trx.query<{ id: number }>(sql`delete from user_links where purpose = 'setup' returning id`)
    const [user] = await trx.query(sql`select from users limit 1`)
    if (user || !links.some(({ id }) => id === link.id) || 'known' in identity) throw linkGone()
    const userId = await createUser(trx, { ...identity, password: identity.hash })
    trx.send(sql`
      insert into account_users (account_id, user_id, role) select id, ${userId}, 'admin' from accounts`)
    auditUser(trx, { userId, ip: place.ip }, 'user_joined', { role: 'admin' })
    return userId
  }

  async function take(trx: Trx, link: Exclude<LinkSeen, { purpose: 'setup' }>, identity: Identity): Promise<number> {
    const [taken] = await trx.query(sql`
      delete from user_links where id = ${link.id} and hash = ${hashSecretToken(token)} and expires_at > now()
      returning id`)
    if (!taken) throw linkGone()
    if (link.purpose === 'reset') {
      if ('known' in identity) throw new Error('a reset sets a new password')
      await setPassword(trx, link.userId, identity.hash)
      await endSessions(trx, link.userId)
      auditUser(trx, { userId: link.userId, ip: place.ip }, 'password_reset')
      return link.userId
    }
    const { accountId, role } = link
    const userId =
      'known' in identity ? identity.known : await createUser(trx, { ...identity, password: identity.hash })
    const [present] = await trx.query(sql`select from users where id = ${userId} for key share`)
    if (!present) throw linkGone() // removed while we looked
    await trx.query(sql`
      insert into account_users (account_id, user_id, role) values (${accountId}, ${userId}, ${role})
      on conflict do nothing`)
    // Made by who could not enter this account.
    trx.send(sql`delete from user_links where user_id = ${userId} and purpose = 'reset'`)
    audit(trx, { accountId, actor: `user:${userId}`, ip: place.ip }, 'user_joined', { role })
    return userId
  }
}
