import sql from 'sql-template-tag'
import type { Database } from '../../db/database.ts'
import { AppError, invalid } from '../../lib/app-error.ts'
import { normaliseEmail } from '../../lib/email.ts'
import { isOutdated } from '../../lib/password.ts'
import { auditUser } from './audit.ts'
import { checkPassword, type Passwords } from './passwords.ts'
import { beginSession, endSessionOf, endSessions, type Place } from './sessions.ts'
import type { SignInAttempts } from './sign-in-attempts.ts'
import { findUser, findUserByEmail, setPassword } from './users.ts'

export interface Tools {
  db: Database
  passwords: Passwords
  attempts: SignInAttempts
}

/** The same whether there is no such user or the password is another. */
export const wrongPassword = () => new AppError('wrong_password', 'That address and password do not belong together')

/**
 * Begins a session for whoever knows the password; answers what the cookie holds, which is always new, while that of
 * `formerly` ends: a cookie that somebody else may have set never becomes a session. A hash of another cost than today's
 * is made anew. Throws wrong_password and rate_limited.
 */
export async function signIn(
  { db, passwords, attempts }: Tools,
  given: { email: string; password: string },
  place: Place,
  formerly: string | undefined,
): Promise<string> {
  const read = normaliseEmail(given.email)
  const email = read.ok ? read.email : given.email
  const takeBack = attempts.take(email, place.network)
  const user = read.ok ? await findUserByEmail(db, email) : undefined
  if (!(await passwords.is(given.password, user?.password)) || !user) throw wrongPassword()
  takeBack()
  const renewed = isOutdated(user.password) ? await passwords.hash(given.password) : undefined
  return db.transaction(async (trx) => {
    // The password is still that one, and nobody can change it until the session is there to be ended.
    const [same] = await trx.query(
      sql`select from users where id = ${user.id} and password = ${user.password} for update`,
    )
    if (!same) throw wrongPassword()
    if (renewed !== undefined) await setPassword(trx, user.id, renewed)
    if (formerly !== undefined) await endSessionOf(trx, formerly)
    return beginSession(trx, user.id, place)
  })
}

interface PasswordChange {
  userId: number
  sessionId: number
  current: string
  next: string
}

/**
 * Changes a password, for whoever knows the present one, and ends all their other sessions. Throws `invalid` and
 * rate_limited.
 */
export async function changePassword(
  { db, passwords, attempts }: Tools,
  { userId, sessionId, current, next }: PasswordChange,
  place: Place,
): Promise<void> {
  const user = await findUser(db, userId)
  if (!user) throw new AppError('session_ended', 'Your session has ended: sign in again')
  checkPassword(next, user.email)
  const takeBack = attempts.take(user.email, place.network)
  if (!(await passwords.is(current, user.password))) throw invalid({ current_password: ['is not your password'] })
  takeBack()
  const hash = await passwords.hash(next)
  await db.transaction(async (trx) => {
    await setPassword(trx, userId, hash)
    await endSessions(trx, userId, { except: sessionId })
    trx.send(sql`delete from user_links where user_id = ${userId} and purpose = 'reset'`)
    auditUser(trx, { userId, ip: place.ip }, 'password_changed')
  })
}
