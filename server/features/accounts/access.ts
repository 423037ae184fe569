import { LRUCache } from 'lru-cache'
import type { Database } from '../../db/database.ts'
import { Recent } from '../../db/recent.ts'
import type { Attempts } from '../../http/attempts.ts'
import type { Grant, Visit } from '../../http/caller.ts'
import { type Account, findAccount } from './accounts.ts'
import { findVisit, isSessionLike, touchSession } from './sessions.ts'
import type { AccountSettings } from './settings.ts'
import { findLiveToken, hashToken, isTokenLike, touchToken } from './tokens.ts'

/** What is known of accounts and their tokens is believed for so long, in every process. */
const CACHED_MS = 5000

/** Tokens that are remembered, of each sort. */
const MOST_TOKENS = 10_000

interface TokenGrant extends Grant {
  tokenId: number
}

/** What each request asks first: whom does this token let in, and what has that account decided? */
export class Access {
  readonly #grants: Recent<string, TokenGrant | undefined>
  readonly #accounts: Recent<number, Account>
  /** Tokens that have opened something, however long ago: to look them up again is never an attempt at guessing. */
  readonly #opened = new LRUCache<string, true>({ max: MOST_TOKENS })
  /** Tokens that opened nothing a moment ago: apart from the grants, which any number of made-up ones would push out. */
  readonly #unknown = new LRUCache<string, true>({ max: MOST_TOKENS, ttl: CACHED_MS })
  readonly #touched = new LRUCache<number, true>({ max: MOST_TOKENS, ttl: 60_000 })
  readonly #seen = new LRUCache<number, true>({ max: MOST_TOKENS, ttl: 60_000 })
  readonly #db: Database
  readonly #attempts: Attempts

  /** @param attempts How many tokens or cookies that open nothing a sender may have looked up. */
  constructor(db: Database, attempts: Attempts) {
    this.#db = db
    this.#attempts = attempts
    const options = { ttlMs: CACHED_MS, max: MOST_TOKENS }
    this.#grants = new Recent((token) => this.#findGrant(token), options)
    this.#accounts = new Recent((id) => findAccount(db, id), options)
  }

  /**
   * What this token opens; undefined: nothing. Its use is noted, at most once a minute, without keeping the request waiting.
   * Throws rate_limited, and looks nothing up, when the sender has tried too many tokens that open nothing.
   */
  async grantOf(token: string, sender: () => string): Promise<Grant | undefined> {
    if (!isTokenLike(token) || this.#unknown.has(token)) return undefined
    const isStranger = !this.#opened.has(token) && !this.#grants.has(token)
    const takeBack = isStranger ? this.#attempts.take(sender()) : () => {}
    const grant = await this.#grants.get(token).catch((error: unknown) => {
      takeBack() // nobody knows what it would have opened
      throw error
    })
    if (!grant) {
      this.#unknown.set(token, true)
      this.#opened.delete(token)
      this.#grants.forget(token)
      return undefined
    }
    takeBack()
    this.#opened.set(token, true)
    if (!this.#touched.has(grant.tokenId)) {
      this.#touched.set(grant.tokenId, true)
      touchToken(this.#db, grant.tokenId).catch(() => this.#touched.delete(grant.tokenId))
    }
    return grant
  }

  /**
   * Who is signed in by this cookie, and what they are in the account. Asked of the database each time, so that an end of
   * a session, a membership or a user counts at once and everywhere: people ask far less often than programs. Throws
   * rate_limited when the sender has tried too many.
   */
  async visitOf(token: string, accountId: number | null, sender: () => string): Promise<Visit | undefined> {
    if (!isSessionLike(token)) return undefined
    const takeBack = this.#attempts.take(sender())
    const visit = await findVisit(this.#db, token, accountId).catch((error: unknown) => {
      takeBack()
      throw error
    })
    if (!visit) return undefined
    takeBack()
    if (!this.#seen.has(visit.sessionId)) {
      this.#seen.set(visit.sessionId, true)
      touchSession(this.#db, visit.sessionId).catch(() => this.#seen.delete(visit.sessionId))
    }
    return visit
  }

  /** Throws not_found. */
  accountOf(accountId: number): Promise<Account> {
    return this.#accounts.get(accountId)
  }

  async settingsOf(accountId: number): Promise<AccountSettings> {
    return (await this.#accounts.get(accountId)).settings
  }

  forgetAccount(accountId: number): void {
    this.#accounts.forget(accountId)
  }

  async #findGrant(token: string): Promise<TokenGrant | undefined> {
    const found = await findLiveToken(this.#db, hashToken(token))
    if (!found) return undefined
    const { id: tokenId, accountId, scopes, expiresAt } = found
    return { tokenId, actor: `token:${tokenId}`, accountId, scopes, expiresAt }
  }
}
