import { createHash, randomBytes } from 'node:crypto'
import sql from 'sql-template-tag'
import type { Queryable, Trx } from '../../db/database.ts'
import { invalid, notFound } from '../../lib/app-error.ts'
import { parseId } from '../../lib/ids.ts'
import { type Keyring, openSealed, seal } from '../../lib/secret.ts'
import type { Adapter } from './adapters/adapter.ts'
import { generic } from './adapters/generic.ts'
import { mailtrap } from './adapters/mailtrap.ts'
import { ses } from './adapters/ses.ts'

export const ADAPTERS = { mailtrap, ses, generic } as const satisfies Record<string, Adapter>
export type Provider = keyof typeof ADAPTERS
export const PROVIDERS = Object.keys(ADAPTERS) as Provider[]

/** What has come to a hook, event by event; `unverified` are whole requests. */
export interface Counts {
  received: number
  recorded: number
  duplicates: number
  unknown: number
  suppressed: number
  ignored: number
  refused: number
}

export interface HookRow extends Counts {
  id: number
  provider: Provider
  name: string | null
  signing_secret: Buffer | null
  topic_arn: string | null
  previous_until: Date | null
  unverified: number
  last_received_at: Date | null
  created_at: Date
  updated_at: Date
}

/** An account's hooks at most. */
export const MOST_HOOKS = 100

/** For how long the address of before works beside a new one. */
const PREVIOUS_VALID = '1 day'
const SECRET_BYTES = 32
const PURPOSE = 'provider signing secret'

export function sealSecret(keyring: Keyring, secret: string): Buffer {
  return seal(keyring, PURPOSE, secret)
}

/** Throws when the key that sealed it is not in the ring. */
export function openSecret(keyring: Keyring, sealed: Uint8Array): string {
  return openSealed(keyring, PURPOSE, sealed)
}

const COLUMNS = sql`
  id, provider, name, signing_secret, topic_arn, previous_until, received, recorded, duplicates, unknown, suppressed, ignored,
  refused, unverified, last_received_at, created_at, updated_at`

export async function listHooks(db: Queryable, accountId: number, limit: number, offset: number) {
  const [rows, [total]] = await Promise.all([
    db.query<HookRow>(sql`
      select ${COLUMNS} from provider_hooks where account_id = ${accountId} order by id limit ${limit} offset ${offset}`),
    db.query<{ count: number }>(sql`select count(*) as count from provider_hooks where account_id = ${accountId}`),
  ])
  return { rows, total: total!.count }
}

/** Throws not_found. */
export async function findHook(db: Queryable, accountId: number, id: number): Promise<HookRow> {
  const [row] = await db.query<HookRow>(
    sql`select ${COLUMNS} from provider_hooks where account_id = ${accountId} and id = ${id}`,
  )
  if (!row) throw notFound()
  return row
}

/** What a caller decides; what is undefined stays as it is. */
export interface HookInput {
  name?: string | null | undefined
  /** null: what is sent is not signed. */
  signing_secret?: string | null | undefined
  /** null: the topic that is heard of first. */
  topic_arn?: string | null | undefined
}

/** Makes a hook. Answers the end of its address too, the only time it is seen. Throws `invalid`. */
export async function createHook(
  trx: Trx,
  keyring: Keyring,
  accountId: number,
  provider: Provider,
  input: HookInput,
): Promise<{ row: HookRow; secret: string }> {
  checkInput(provider, input)
  // The account's row is the turnstile: of two that are made at once, the second one counts the first.
  await trx.query(sql`select id from accounts where id = ${accountId} for no key update`)
  const [known] = await trx.query<{ count: number }>(
    sql`select count(*) as count from provider_hooks where account_id = ${accountId}`,
  )
  if (known!.count >= MOST_HOOKS)
    throw invalid({ base: [`there are ${MOST_HOOKS} hooks already, which is the maximum: delete one first`] })
  const secret = newSecret(accountId)
  const { name = null, signing_secret: signing, topic_arn: topic = null } = input
  const [row] = await trx.query<HookRow>(sql`
    insert into provider_hooks (account_id, provider, name, secret_hash, signing_secret, topic_arn)
    values (${accountId}, ${provider}, ${name}, ${hashOf(secret)}, ${signing ? sealSecret(keyring, signing) : null}, ${topic})
    returning ${COLUMNS}`)
  return { row: row!, secret }
}

/** Throws not_found and `invalid`. */
export async function updateHook(
  trx: Trx,
  keyring: Keyring,
  accountId: number,
  id: number,
  input: HookInput,
): Promise<HookRow> {
  const { provider } = await findHook(trx, accountId, id)
  checkInput(provider, input)
  const { name, signing_secret: signing, topic_arn: topic } = input
  const [row] = await trx.query<HookRow>(sql`
    update provider_hooks set
      name = case when ${name !== undefined} then ${name ?? null}::text else name end,
      signing_secret = case when ${signing !== undefined} then ${signing ? sealSecret(keyring, signing) : null}::bytea else signing_secret end,
      topic_arn = case when ${topic !== undefined} then ${topic ?? null}::text else topic_arn end,
      updated_at = statement_timestamp()
    where account_id = ${accountId} and id = ${id} returning ${COLUMNS}`)
  if (!row) throw notFound()
  return row
}

function checkInput(provider: Provider, { signing_secret: signing, topic_arn: topic }: HookInput): void {
  if (signing != null && !ADAPTERS[provider].usesSecret)
    throw invalid({ signing_secret: [`is not used by ${provider}: its messages are signed with its own certificate`] })
  if (signing != null && provider === 'generic' && !/^whsec_[A-Za-z0-9+/]{32,}={0,2}$/.test(signing))
    throw invalid({ signing_secret: ['must be whsec_ and at least 24 bytes in base64, as Standard Webhooks asks for'] })
  if (topic != null && provider !== 'ses') throw invalid({ topic_arn: ['is for the provider ses alone'] })
  if (topic != null && !/^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w-]{1,256}(\.fifo)?$/.test(topic))
    throw invalid({ topic_arn: ['must be that of a topic, such as arn:aws:sns:eu-west-1:123456789012:mail'] })
}

/** A new address; that of before works beside it for a day. Throws not_found. */
export async function rotateHook(trx: Trx, accountId: number, id: number): Promise<{ row: HookRow; secret: string }> {
  const secret = newSecret(accountId)
  const [row] = await trx.query<HookRow>(sql`
    update provider_hooks set previous_hash = secret_hash, previous_until = statement_timestamp() + ${PREVIOUS_VALID}::interval,
      secret_hash = ${hashOf(secret)}, updated_at = statement_timestamp()
    where account_id = ${accountId} and id = ${id} returning ${COLUMNS}`)
  if (!row) throw notFound()
  return { row, secret }
}

/** Throws not_found. */
export async function deleteHook(trx: Trx, accountId: number, id: number): Promise<void> {
  const gone = await trx.query(
    sql`delete from provider_hooks where account_id = ${accountId} and id = ${id} returning id`,
  )
  if (gone.length === 0) throw notFound()
}

/** A hook that a request has named by its address. */
export interface OpenHook {
  accountId: number
  id: number
  provider: Provider
  signingSecret: string | null
  topicArn: string | null
}

/** The hook at this end of an address; undefined when there is none. */
export async function hookAt(
  db: Queryable,
  keyring: Keyring,
  provider: string,
  secret: string,
): Promise<OpenHook | undefined> {
  const [, account] = /^(\d{1,16})-[\w-]{43}$/.exec(secret) ?? []
  const accountId = account === undefined ? null : parseId(account)
  if (accountId === null || !Object.hasOwn(ADAPTERS, provider)) return undefined
  const hash = hashOf(secret)
  const [row] = await db.query<Pick<HookRow, 'id' | 'provider' | 'signing_secret' | 'topic_arn'>>(sql`
    select id, provider, signing_secret, topic_arn from provider_hooks
    where account_id = ${accountId} and provider = ${provider}
      and (secret_hash = ${hash} or (previous_hash = ${hash} and previous_until > now()))`)
  return (
    row && {
      accountId,
      id: row.id,
      provider: row.provider,
      signingSecret: row.signing_secret && openSecret(keyring, row.signing_secret),
      topicArn: row.topic_arn,
    }
  )
}

/** Sees to it that one topic alone posts to a hook: the first one, unless one was named. False: it is another one. */
export async function holdTopic(db: Queryable, { accountId, id }: OpenHook, topicArn: string): Promise<boolean> {
  const held = await db.query(sql`
    update provider_hooks set topic_arn = ${topicArn}
    where account_id = ${accountId} and id = ${id} and (topic_arn is null or topic_arn = ${topicArn}) returning id`)
  return held.length > 0
}

/** Sent, not awaited. */
export function count(trx: Trx, { accountId, id }: OpenHook, counts: Partial<Counts>): void {
  const { received = 0, recorded = 0, duplicates = 0, unknown = 0, suppressed = 0, ignored = 0, refused = 0 } = counts
  trx.send(sql`
    update provider_hooks set received = received + ${received}, recorded = recorded + ${recorded},
      duplicates = duplicates + ${duplicates}, unknown = unknown + ${unknown}, suppressed = suppressed + ${suppressed},
      ignored = ignored + ${ignored}, refused = refused + ${refused}, last_received_at = statement_timestamp()
    where account_id = ${accountId} and id = ${id}`)
}

export async function countUnverified(db: Queryable, { accountId, id }: OpenHook): Promise<void> {
  await db.query(sql`
    update provider_hooks set unverified = unverified + 1 where account_id = ${accountId} and id = ${id}`)
}

function newSecret(accountId: number): string {
  return `${accountId}-${randomBytes(SECRET_BYTES).toString('base64url')}`
}

function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}
