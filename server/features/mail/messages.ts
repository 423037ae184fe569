import sql from 'sql-template-tag'
import type { Queryable, Trx } from '../../db/database.ts'
import { notFound } from '../../lib/app-error.ts'
import { record } from '../activity/record.ts'
import { CONFIRM_REQUEST } from './built-in.ts'
import { sendMail } from './jobs.ts'
import { type Letter, sealLetter } from './letter.ts'
import type { MailRoom } from './mail-room.ts'

/** `kept`: there is no mail server, so that it waits to be read. `cancelled`: what it says is no longer so. */
export const PHASES = ['queued', 'sent', 'kept', 'failed', 'cancelled'] as const
export type Phase = (typeof PHASES)[number]

export interface MessageRow {
  id: string
  contact_id: string
  template: string
  template_version: number
  phase: Phase
  content: Buffer
  attempts: number
  error: string | null
  at: Date
  sent_at: Date | null
}

interface Posting {
  accountId: number
  contactId: string
  template: string
  version: number
  letter: Letter
}

/** Puts a mail on its way, in the caller's transaction, which holds the contact's row. Answers its id. */
export async function postMail(trx: Trx, room: MailRoom, posting: Posting): Promise<string> {
  const { accountId, contactId, template, version, letter } = posting
  const [row] = await trx.query<{ id: string }>(sql`
    insert into messages (account_id, contact_id, template, template_version, phase, content, sent_at)
    values (${accountId}, ${contactId}, ${template}, ${version}, ${room.hasServer ? 'queued' : 'kept'},
      ${sealLetter(room.keyring, letter)}, ${room.hasServer ? null : new Date()})
    returning id`)
  const messageId = row!.id
  if (room.hasServer) await room.queue.enqueue(trx, sendMail, { accountId, messageId })
  else recordSent(trx, accountId, { contactId, messageId, template, version, letter })
  return messageId
}

/** Notes in the activity that a mail has gone. The contact's row is held. */
export function recordSent(
  trx: Trx,
  accountId: number,
  sent: Omit<Posting, 'accountId'> & { messageId: string },
): void {
  const { contactId, messageId, template, version, letter } = sent
  record(trx, accountId, [{ contactId, types: letter.types, data: { message_id: messageId, template, version } }])
}

/** Keeps back mails that have not gone out yet, as what they say is over: those of one template, or all but answers to requests. */
export function cancelMails(trx: Trx, accountId: number, contactIds: readonly string[], template?: string): void {
  trx.send(sql`
    update messages set phase = 'cancelled'
    where account_id = ${accountId} and contact_id = any(${[...contactIds]}::uuid[]) and phase = 'queued'
      and template = coalesce(${template ?? null}, template) and template <> ${CONFIRM_REQUEST}`)
}

/** A mail without what it says, and who it is to by now. */
export interface ListedMessage extends Omit<MessageRow, 'content'> {
  /** The address that the contact has now. */
  email: string
}

/** Which mails are asked for. */
export interface MessageFilter {
  contactId?: string | undefined
  phase?: Phase | undefined
}

const COLUMNS = sql`m.id, m.contact_id, m.template, m.template_version, m.phase, m.attempts, m.error, m.at, m.sent_at, c.email`
const WITH_CONTACT = sql`messages as m join contacts as c on c.account_id = m.account_id and c.id = m.contact_id`

/** The latest first; `before` is the id of the last one already read. */
export function listMessages(
  db: Queryable,
  accountId: number,
  filter: MessageFilter,
  { before, limit, offset }: { before: string | undefined; limit: number; offset: number },
): Promise<ListedMessage[]> {
  const behind = before === undefined ? sql`` : sql`and m.id < ${before}::uuid`
  return db.query<ListedMessage>(sql`
    select ${COLUMNS} from ${WITH_CONTACT} where ${which(accountId, filter)} ${behind}
    order by m.id desc limit ${limit} offset ${offset}`)
}

export async function countMessages(db: Queryable, accountId: number, filter: MessageFilter): Promise<number> {
  const [row] = await db.query<{ count: number }>(
    sql`select count(*) as count from messages as m where ${which(accountId, filter)}`,
  )
  return row!.count
}

function which(accountId: number, { contactId, phase }: MessageFilter) {
  const ofContact = contactId === undefined ? sql`` : sql`and m.contact_id = ${contactId}::uuid`
  const inPhase = phase === undefined ? sql`` : sql`and m.phase = ${phase}`
  return sql`m.account_id = ${accountId} ${ofContact} ${inPhase}`
}

/** Throws not_found. */
export async function findMessage(
  db: Queryable,
  accountId: number,
  id: string,
): Promise<ListedMessage & Pick<MessageRow, 'content'>> {
  const [row] = await db.query<ListedMessage & Pick<MessageRow, 'content'>>(
    sql`select ${COLUMNS}, m.content from ${WITH_CONTACT} where m.account_id = ${accountId} and m.id = ${id}::uuid`,
  )
  if (!row) throw notFound()
  return row
}
