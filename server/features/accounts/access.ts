import { LRUCache } from 'lru-cache'
import type { Database } from '../../db/database.ts'
import { Recent } from '../../db/recent.ts'
import type { Grant } from '../../http/caller.ts'
import { findAccount } from './accounts.ts'
import type { AccountSettings } from './settings.ts'
import { findLiveToken, hashToken, touchToken } from './tokens.ts'

/** What is known of accounts and their tokens is believed for so long, in every process. */
const CACHED_MS = 5000

/** What each request asks first: whom does this token let in, and what has that account decided? */
export class Access {
  readonly #grants: Recent<string, Grant | undefined>
  readonly #settings: Recent<number, AccountSettings>
  readonly #touched = new LRUCache<number, true>({ max: 10_000, ttl: 60_000 })
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
    const options = { ttlMs: CACHED_MS, max: 10_000 }
    this.#grants = new Recent((token) => this.#findGrant(token), options)
    this.#settings = new Recent(async (id) => (await findAccount(db, id)).settings, options)
  }

  /** What this token opens; undefined: nothing. Its use is noted, at most once a minute, without keeping the request waiting. */
  async grantOf(token: string): Promise<Grant | undefined> {
    const grant = await this.#grants.get(token)
    if (!grant) return undefined
    if (!this.#touched.has(grant.tokenId)) {
      this.#touched.set(grant.tokenId, true)
      touchToken(this.#db, grant.tokenId).catch(() => this.#touched.delete(grant.tokenId))
    }
    return grant
  }

  settingsOf(accountId: number): Promise<AccountSettings> {
    return this.#settings.get(accountId)
  }

  forgetSettings(accountId: number): void {
    this.#settings.forget(accountId)
  }

  async #findGrant(token: string): Promise<Grant | undefined> {
    const found = await findLiveToken(this.#db, hashToken(token))
    return found && { tokenId: found.id, accountId: found.accountId, scopes: found.scopes, expiresAt: found.expiresAt }
  }
}
