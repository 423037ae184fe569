import { createHash, randomBytes } from 'node:crypto'
import sql from 'sql-template-tag'
import type { Queryable, Trx } from '../../db/database.ts'
import { AppError } from '../../lib/app-error.ts'
import { displayEmail } from '../../lib/email.ts'
import { parseId } from '../../lib/ids.ts'
import { findAccount } from '../accounts/accounts.ts'
import type { EventType } from '../activity/event-types.ts'
import { CONFIRM_REQUEST, CONFIRM_SUBSCRIPTION } from '../mail/built-in.ts'
import { linkBase, type MailRoom } from '../mail/mail-room.ts'
import { cancelMails, postMail } from '../mail/messages.ts'
import { render } from '../mail/render.ts'
import { findTemplate } from '../mail/templates.ts'
import { contactVariables } from './variables.ts'

/** Mails that ask one person to confirm, within an hour: more would be a nuisance to whoever has that address. */
const MOST_MAILS = 3
const WITHIN_S = 3600

const SECRET_BYTES = 32

/** What people are asked to confirm with. */
export interface Asking {
  room: MailRoom
  /** CONFIRMATION_DAYS. */
  days: number
}

/** What following a link leads to, beside being subscribed. */
export interface Leads {
  /** Lists that they join. */
  lists?: readonly number[]
  /** Values by the key of their field, for those that are still unset then. */
  fields?: Readonly<Record<string, unknown>>
  /** A template that is mailed then. */
  welcome?: string
  /** Of the form that they have filled: what the ledger keeps of it. */
  form?: Readonly<Record<string, unknown>>
}

export interface Asked {
  url: string
  expiresAt: Date
}

/** What a link is for: to get mail, or what somebody asks of their own data. */
export type Purpose = 'subscribe' | 'export' | 'erase'

/** What is mailed with a link, and where it leads. */
const MAILS: Readonly<Record<Purpose, { template: string; types: EventType[]; path: string }>> = {
  subscribe: { template: CONFIRM_SUBSCRIPTION, types: ['confirmation_sent', 'email_sent'], path: 'confirm' },
  export: { template: CONFIRM_REQUEST, types: ['email_sent'], path: 'request' },
  erase: { template: CONFIRM_REQUEST, types: ['email_sent'], path: 'request' },
}

/**
 * Makes a link by which a person may confirm; earlier ones go on working. Their row is held. With `mail` it is sent to them.
 * Throws rate_limited when they were sent enough, and conflict when mail can not be sent.
 */
export async function askToConfirm(
  trx: Trx,
  { room, days }: Asking,
  accountId: number,
  contact: { id: string; email: string },
  mail: boolean,
  leads: Leads = {},
  purpose: Purpose = 'subscribe',
): Promise<Asked> {
  const base = linkBase(room)
  if (mail) await checkRate(trx, accountId, contact.id)
  const secret = randomBytes(SECRET_BYTES).toString('base64url')
  const [row] = await trx.query<{ expires_at: Date }>(sql`
    insert into confirmations (account_id, hash, contact_id, purpose, mailed, data, expires_at)
    values (${accountId}, ${hashOf(secret)}, ${contact.id}, ${purpose}, ${mail}, ${JSON.stringify(leads)},
      clock_timestamp() + make_interval(days => ${days}))
    returning expires_at`)
  const url = `${base}/${MAILS[purpose].path}/${accountId}-${secret}`
  if (mail) await mailLink(trx, room, accountId, contact, { url, days, purpose })
  return { url, expiresAt: row!.expires_at }
}

async function checkRate(trx: Trx, accountId: number, contactId: string): Promise<void> {
  const [sent] = await trx.query<{ count: number; wait_s: number | null }>(sql`
    select count(*) as count, ceil(extract(epoch from min(created_at) - now()) + ${WITHIN_S})::int as wait_s from confirmations
    where account_id = ${accountId} and contact_id = ${contactId} and mailed and created_at > now() - make_interval(secs => ${WITHIN_S})`)
  if (sent!.count < MOST_MAILS) return
  throw new AppError(
    'rate_limited',
    `They were sent ${MOST_MAILS} mails to confirm within the hour: wait, or give them the link yourself (send_confirmation: false)`,
    undefined,
    undefined,
    { retry_after_s: Math.max(1, sent!.wait_s ?? WITHIN_S) },
  )
}

async function mailLink(
  trx: Trx,
  room: MailRoom,
  accountId: number,
  contact: { id: string; email: string },
  { url, days, purpose }: { url: string; days: number; purpose: Purpose },
): Promise<void> {
  const [{ name, settings }, person] = await Promise.all([
    findAccount(trx, accountId),
    contactVariables(trx, accountId, contact.id),
  ])
  const { template: named, types } = MAILS[purpose]
  const template = await findTemplate(trx, accountId, named, settings.language)
  const account = { name, color: settings.color }
  const variables = { account, contact: person, confirm_url: url, days, request: purpose }
  await postMail(trx, room, {
    accountId,
    contactId: contact.id,
    template: template.name,
    version: template.version,
    letter: { ...render(template, variables), to: displayEmail(contact.email), fromName: name, types },
  })
}

/**
 * Takes back whatever could still subscribe them; links that were used stay known as such, and those that were mailed go on
 * counting among the mails of the hour: who leaves and is asked again in turn is not to be mailed without end. Those have ended
 * when they were made, as who confirms at this moment may have begun before it. Sent, not awaited.
 */
export function voidConfirmations(trx: Trx, accountId: number, contactIds: readonly string[]): void {
  if (contactIds.length === 0) return
  const open = sql`
    account_id = ${accountId} and contact_id = any(${[...contactIds]}::uuid[]) and used_at is null and purpose = 'subscribe'`
  trx.send(sql`delete from confirmations where ${open} and not mailed`)
  trx.send(sql`update confirmations set expires_at = created_at, data = '{}' where ${open}`)
  cancelMails(trx, accountId, contactIds, CONFIRM_SUBSCRIPTION)
}

/** The same, and forgets those that were used: the address has changed to which they were sent. Sent, not awaited. */
export function forgetConfirmations(trx: Trx, accountId: number, contactIds: readonly string[]): void {
  if (contactIds.length === 0) return
  trx.send(
    sql`delete from confirmations where account_id = ${accountId} and contact_id = any(${[...contactIds]}::uuid[])`,
  )
  cancelMails(trx, accountId, contactIds, CONFIRM_SUBSCRIPTION)
}

/**
 * Lets open links that are for lists lead into the one into which these have been merged, but for whoever has left that one:
 * as of members, a merge undoes nobody's word. The lists are held for good by then. Sent, not awaited.
 */
export function redirectConfirmations(trx: Trx, accountId: number, from: readonly number[], listId: number): void {
  trx.send(sql`
    update confirmations as o set data = jsonb_set(data, '{lists}', (
      select coalesce(jsonb_agg(distinct case when id = any(${[...from]}::bigint[]) then ${listId}::bigint else id end), '[]')
      from (select id::bigint from jsonb_array_elements_text(data -> 'lists') as id) as lists))
    where account_id = ${accountId} and used_at is null and exists (
        select from jsonb_array_elements_text(data -> 'lists') as id where id::bigint = any(${[...from]}::bigint[]))
      and not exists (
        select from contacts as c join list_opt_outs as left_it on left_it.account_id = c.account_id and left_it.email = c.email
        where c.account_id = ${accountId} and c.id = o.contact_id and left_it.list_id = ${listId})`)
}

/** What a link names; undefined for what we can not have made. */
export function readToken(token: string): { accountId: number; hash: Buffer } | undefined {
  const [, account, secret] = /^(\d{1,16})-([\w-]{43})$/.exec(token) ?? []
  const accountId = account === undefined ? null : parseId(account)
  return accountId === null ? undefined : { accountId, hash: hashOf(secret!) }
}

/** Whether any link in a text would still do what it is for. */
export async function hasOpenLink(db: Queryable, accountId: number, text: string): Promise<boolean> {
  const named = [...text.matchAll(/\b\d{1,16}-[\w-]{43}/g)].map(([token]) => readToken(token))
  const hashes = named.flatMap((link) => (link?.accountId === accountId ? [link.hash] : []))
  const rows = await db.query(sql`
    select from confirmations
    where account_id = ${accountId} and hash = any(${hashes}::bytea[]) and used_at is null and expires_at > now() limit 1`)
  return rows.length > 0
}

function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}
