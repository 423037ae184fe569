import { Turnstile } from '../../db/turnstile.ts'
import { AppError, invalid } from '../../lib/app-error.ts'
import { hashPassword, isPassword } from '../../lib/password.ts'

/** At once, in one process: each takes 19 MiB and one of the four threads that Node has for files and names, too. */
const AT_ONCE = 2

/** At work or waiting; who comes then is told to come back. At 40 ms each the last one waits a second. */
const MOST_WAITING = 50

const SHORTEST = 10
const LONGEST = 200

/** Throws `invalid` for a password that is too easily found, or that nobody should have to hash. */
export function checkPassword(password: string, email: string): void {
  const problem =
    password.length < SHORTEST
      ? `is too short (minimum is ${SHORTEST} characters): a few words are easy to keep in mind`
      : password.length > LONGEST
        ? `is too long (maximum is ${LONGEST} characters)`
        : new Set(password).size < 4 || email.toLowerCase().includes(password.toLowerCase())
          ? 'is too easy to guess'
          : undefined
  if (problem !== undefined) throw invalid({ password: [problem] })
}

/** Hashes passwords, so many at once and no more: those who sign in, or try to, can not use up memory or threads. */
export class Passwords {
  readonly #turnstile = new Turnstile(AT_ONCE)
  #waiting = 0
  #nobodys: Promise<string> | undefined

  hash(password: string): Promise<string> {
    return this.#bounded(() => hashPassword(password))
  }

  /** Whether it is the password; where there is no user and so no hash, false after the time that it would have taken. */
  async is(password: string, stored: string | undefined): Promise<boolean> {
    return this.#bounded(async () => {
      if (stored !== undefined) return isPassword(password, stored)
      this.#nobodys ??= hashPassword('nobody has this one')
      await isPassword(password, await this.#nobodys)
      return false
    })
  }

  async #bounded<T>(act: () => Promise<T>): Promise<T> {
    if (this.#waiting >= MOST_WAITING) throw new AppError('unavailable', 'Too many sign in at once: try again shortly')
    this.#waiting++
    try {
      return await this.#turnstile.pass(act)
    } finally {
      this.#waiting--
    }
  }
}
