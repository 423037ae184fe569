import sql from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'
import type { Caller } from '../../http/caller.ts'
import { AppError, notFound } from '../../lib/app-error.ts'
import { displayEmail } from '../../lib/email.ts'
import { audit } from '../accounts/audit.ts'
import { CONFIRM_REQUEST } from '../mail/built-in.ts'
import { sendMail } from '../mail/jobs.ts'
import { type Letter, openLetter } from '../mail/letter.ts'
import type { MailRoom } from '../mail/mail-room.ts'
import type { Phase } from '../mail/messages.ts'
import { hasOpenLink } from './confirmations.ts'
import { maySend } from './send-template.ts'
import { type Held, holdStandings } from './standing.ts'

/**
 * Puts a mail that failed on its way once more, as the same mail: its links are those of before, and its tries begin anew. Throws
 * not_found, and conflict for one that has not failed, or that says what is no longer so.
 */
export async function retryMail(trx: Trx, room: MailRoom, caller: Caller, messageId: string): Promise<void> {
  const { accountId } = caller
  const [found] = await trx.query<{ contact_id: string }>(
    sql`select contact_id from messages where account_id = ${accountId} and id = ${messageId}::uuid`,
  )
  if (!found) throw notFound()
  // The person first, as whoever voids links does: what is found to hold here holds until this is committed.
  const [person] = await holdStandings(trx, accountId, [found.contact_id])
  const [row] = await trx.query<{ phase: Phase; template: string; content: Buffer }>(sql`
    select phase, template, content from messages where account_id = ${accountId} and id = ${messageId}::uuid for update`)
  if (!row || !person) throw notFound()
  if (row.phase !== 'failed') throw refused(`It is ${row.phase}: only a mail that failed can be sent again`)
  if (!room.hasServer) throw refused('There is no mail server that could take it: set SMTP_URL')
  const letter = openLetter(room.keyring, row.content)
  if (!letter) throw refused('What it says can not be read any more: the key that sealed it is not in ROLLCALL_SECRET')
  await refuseOver(trx, accountId, person, row.template, letter)
  trx.send(sql`
    update messages set phase = 'queued', attempts = 0, error = null
    where account_id = ${accountId} and id = ${messageId}::uuid`)
  audit(trx, caller, 'mail_retried', { message_id: messageId })
  await room.queue.enqueue(trx, sendMail, { accountId, messageId })
}

/** As it is looked at again before it goes; and a mail that asks for something is of no use without its link. */
async function refuseOver(
  trx: Trx,
  accountId: number,
  { id, email }: Held,
  template: string,
  letter: Letter,
): Promise<void> {
  if (displayEmail(email) !== letter.to) throw refused('The address that it was for has been changed')
  if (template !== CONFIRM_REQUEST && !(await maySend(trx, accountId, id, letter)))
    throw refused('Whom it is for may not be mailed any more')
  if (letter.unsubscribeUrl !== undefined) return
  if (!(await hasOpenLink(trx, accountId, `${letter.html} ${letter.text}`)))
    throw refused('Its link has expired, or was used or taken back: ask them anew')
}

const refused = (why: string) => new AppError('conflict', why)
