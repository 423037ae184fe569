import type pg from 'pg'
import type { Logger } from 'pino'
import type { Config } from './config.ts'
import { Database } from './db/database.ts'
import { applyMigrations, withStartLock } from './db/migrate.ts'
import { createAccount } from './features/accounts/accounts.ts'
import { ensureToken, issueToken, listTokens } from './features/accounts/tokens.ts'
import { makeSetupLink } from './features/accounts/user-links.ts'
import { keepHouse } from './features/activity/housekeeping.ts'
import { replayJournal } from './features/privacy/journal.ts'
import { replayWords } from './features/privacy/words-replay.ts'
import { prepareProviderSecrets } from './features/providers/keys.ts'
import { requireKeysInUse } from './features/subscriptions/keys.ts'
import { prepareSigningSecrets } from './features/webhooks/keys.ts'
import type { FileStore } from './files/store.ts'
import { Queue } from './jobs/queue.ts'
import type { Keyring } from './lib/secret.ts'
import { ALL_JOB_NAMES } from './worker.ts'

interface Parts {
  url: string
  /** Without a pooler in between. */
  directUrl: string
  log: Logger
  signal?: AbortSignal
}

/** Brings the schema and the queue's tables up to date, one process at a time. */
export async function prepareSchema({ url, directUrl, log, signal }: Parts): Promise<void> {
  await withStartLock(directUrl, { log, ...(signal && { signal }) }, (client) =>
    inLock(client, url, log, async () => {}),
  )
}

/** Who makes what the first account begins with. */
const STARTER = { accountId: 1, actor: 'system', ip: null }

/** What a start has to tell whoever sees its output: nobody will be told it again. */
export interface FirstWords {
  /** A token of account 1, when it has just been made: as the account has never had one. */
  token?: string | undefined
  /** What stands in a link that makes the first user: at each start until there is one. */
  setup?: string | undefined
}

/** The same, and sees to account 1, its token, and a way in for its first user, where these are wanted. */
export async function prepareAll(
  parts: Parts & {
    config: Config
    keyring: Keyring
    wantsToken: boolean
    wantsUser: boolean
    /** Where the journals of erasures and of words are; not given by those who serve nobody. */
    files?: FileStore
  },
): Promise<FirstWords> {
  const { url, directUrl, log, config, keyring, wantsToken, wantsUser, files, signal } = parts
  return withStartLock(directUrl, { log, ...(signal && { signal }) }, (client) =>
    inLock(client, url, log, async (db, queue) => {
      await requireKeysInUse(db, keyring)
      await prepareSigningSecrets(db, keyring)
      await prepareProviderSecrets(db, keyring)
      // After a long pause the month's partition should be there before the first event; without it, events have another.
      await keepHouse(db).catch((error: unknown) => log.warn({ err: error }, 'housekeeping failed'))
      await createAccount(db, { id: 1, name: 'Main' })
      const erased = files ? await replayJournal(db, { files, keyring, queue }) : 0
      if (erased > 0) log.warn({ erased }, 'erasures that the database did not know of were applied from the journal')
      const said = files ? await replayWords({ db, files, keyring }) : 0
      if (said > 0)
        log.warn({ said }, 'words of people that the database did not know of were applied from the journal')
      const { ROLLCALL_API_TOKEN: given } = config
      if (given !== undefined) await db.transaction((trx) => ensureToken(trx, STARTER, given))
      const setup = wantsUser ? await db.transaction(makeSetupLink) : undefined
      if (!wantsToken || (await listTokens(db, 1)).length > 0) return { setup }
      const made = await db.transaction((trx) => issueToken(trx, STARTER, { name: 'First start', scopes: ['admin'] }))
      return { setup, token: made.token }
    }),
  )
}

async function inLock<T>(
  client: pg.Client,
  url: string,
  log: Logger,
  work: (db: Database, queue: Queue) => Promise<T>,
): Promise<T> {
  await applyMigrations(client, { log })
  const db = new Database({ url, max: 2 })
  const queue = new Queue(db, { role: 'worker', onError: (error) => log.error({ err: error }, 'queue failed') })
  try {
    await queue.prepare(ALL_JOB_NAMES)
    const unknown = await queue.putBack(db, ALL_JOB_NAMES)
    if (unknown > 0) log.warn({ unknown }, 'jobs of kinds that there are no longer were restored, and are left out')
    return await work(db, queue)
  } finally {
    await queue.stop(0).catch(() => {})
    await db.close()
  }
}
