import sql from 'sql-template-tag'
import type { Database } from '../../db/database.ts'
import type { Job } from '../../jobs/queue.ts'
import { displayEmail } from '../../lib/email.ts'
import type { Keyring } from '../../lib/secret.ts'
import { CONFIRM_REQUEST } from './built-in.ts'
import { MOST_ATTEMPTS, type SendPayload, sendMail } from './jobs.ts'
import { type Letter, openLetter } from './letter.ts'
import { type MessageRow, recordSent } from './messages.ts'
import { type Outbound, reasonOf } from './outbound.ts'

export interface Delivering {
  db: Database
  keyring: Keyring
  /** undefined: there is no mail server any more. */
  outbound: Outbound | undefined
  /** Whether this may go to someone now. */
  maySend: (accountId: number, contactId: string, letter: Letter) => Promise<boolean>
}

export function mailJobs(parts: Delivering): Job[] {
  const job: Job<typeof SendPayload> = {
    ...sendMail,
    concurrency: 4,
    run: ({ accountId, messageId }) => deliver(parts, accountId, messageId),
  }
  return [job]
}

/**
 * Hands one mail to the server. At least once: after a crash between its answer and ours it goes again, under the same
 * Message-ID. What the server refuses for good is not tried again; all else throws, for the queue to try it later. What is
 * thrown and kept names the server's code alone, as its words quote addresses.
 */
async function deliver(
  { db, keyring, outbound, maySend }: Delivering,
  accountId: number,
  messageId: string,
): Promise<void> {
  const [row] = await db.query<MessageRow>(sql`
    update messages set attempts = attempts + 1
    where account_id = ${accountId} and id = ${messageId}::uuid and phase = 'queued'
    returning contact_id, template, template_version, content, attempts`)
  if (!row) return
  const letter = openLetter(keyring, row.content)
  if (!letter) return fail(db, accountId, messageId, 'its key is not in ROLLCALL_SECRET')
  if (!outbound) return fail(db, accountId, messageId, 'SMTP_URL is not set any more')
  // Hours may have gone by since it was asked for. What people ask for of their own data they get in any case.
  const mayGo =
    (await isTheirs(db, accountId, row.contact_id, letter.to)) &&
    (row.template === CONFIRM_REQUEST || (await maySend(accountId, row.contact_id, letter)))
  if (!mayGo) return cancel(db, accountId, messageId)
  try {
    await outbound(messageId, letter)
  } catch (error) {
    const { reason, isFinal } = reasonOf(error)
    if (isFinal || row.attempts >= MOST_ATTEMPTS) return fail(db, accountId, messageId, reason)
    await note(db, accountId, messageId, reason)
    throw new Error(`mail ${messageId}: ${reason}`)
  }
  await db.transaction(async (trx) => {
    const [contact] = await trx.query(sql`
      select id from contacts where account_id = ${accountId} and id = ${row.contact_id}::uuid for no key update`)
    const [sent] = await trx.query(sql`
      update messages set phase = 'sent', error = null, sent_at = statement_timestamp()
      where account_id = ${accountId} and id = ${messageId}::uuid and phase in ('queued', 'cancelled') returning id`)
    const { contact_id: contactId, template, template_version: version } = row
    if (contact && sent) recordSent(trx, accountId, { contactId, messageId, template, version, letter })
  })
}

/** Whether a mail's address is still that of its contact: whoever reads mail there now may be somebody else, or may have left. */
async function isTheirs(db: Database, accountId: number, contactId: string, to: string): Promise<boolean> {
  const [contact] = await db.query<{ email: string }>(sql`
    select email from contacts where account_id = ${accountId} and id = ${contactId}::uuid`)
  return contact !== undefined && displayEmail(contact.email) === to
}

async function fail(db: Database, accountId: number, messageId: string, reason: string): Promise<void> {
  await db.query(sql`
    update messages set phase = 'failed', error = ${reason}
    where account_id = ${accountId} and id = ${messageId}::uuid and phase = 'queued'`)
}

async function cancel(db: Database, accountId: number, messageId: string): Promise<void> {
  await db.query(sql`
    update messages set phase = 'cancelled' where account_id = ${accountId} and id = ${messageId}::uuid and phase = 'queued'`)
}

async function note(db: Database, accountId: number, messageId: string, reason: string): Promise<void> {
  await db.query(sql`
    update messages set error = ${reason} where account_id = ${accountId} and id = ${messageId}::uuid and phase = 'queued'`)
}
