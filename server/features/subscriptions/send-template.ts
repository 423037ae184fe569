import sql from 'sql-template-tag'
import type { Queryable, Trx } from '../../db/database.ts'
import { AppError, invalid } from '../../lib/app-error.ts'
import { displayEmail } from '../../lib/email.ts'
import { findAccount } from '../accounts/accounts.ts'
import { CONFIRM_REQUEST, CONFIRM_SUBSCRIPTION } from '../mail/built-in.ts'
import type { Letter } from '../mail/letter.ts'
import { linkBase, type MailRoom } from '../mail/mail-room.ts'
import { postMail } from '../mail/messages.ts'
import { render, undefinedIn } from '../mail/render.ts'
import { findTemplate } from '../mail/templates.ts'
import { linksOf } from './links.ts'
import type { Held } from './standing.ts'
import { rulingOn, SUPPRESSED, sendable } from './suppressions.ts'
import { contactVariables } from './variables.ts'

interface Sending {
  template: string
  variables?: Readonly<Record<string, unknown>>
  /** Of which list the mail is: its link leaves that list, and who has left it is not mailed. null: none. */
  listId: number | null
}

/**
 * Mails a template to somebody, whose row is held. Throws not_found for a template that is not there, `invalid` with the reason
 * under `place` for who may not be mailed, and conflict when mail can not be sent.
 * @returns its id, and the variables that it names and nobody gave.
 */
export async function sendTemplate(
  trx: Trx,
  room: MailRoom,
  accountId: number,
  person: Held,
  { template: name, variables = {}, listId }: Sending,
  place: string,
): Promise<{ messageId: string; undefinedVariables: string[] }> {
  if (name === CONFIRM_SUBSCRIPTION || name === CONFIRM_REQUEST)
    throw new AppError(
      'conflict',
      'This template has a link that is made for one request: POST contacts/CONTACT/resubscribe, or the page of preferences, sends it',
    )
  const reason = await reasonAgainst(trx, room, accountId, person, listId)
  if (reason !== null) throw invalid({ [place]: [`may not be mailed: ${reason}`] })
  const account = await findAccount(trx, accountId)
  const template = await findTemplate(trx, accountId, name, account.settings.language)
  const links = linksOf(linkBase(room), room.keyring, { accountId, contactId: person.id, email: person.email, listId })
  const given = {
    ...variables,
    account: { name: account.name, color: account.settings.color },
    contact: await contactVariables(trx, accountId, person.id),
    ...links,
  }
  const messageId = await postMail(trx, room, {
    accountId,
    contactId: person.id,
    template: template.name,
    version: template.version,
    letter: {
      ...render(template, given),
      to: displayEmail(person.email),
      fromName: account.name,
      unsubscribeUrl: links.unsubscribe_url,
      ...(listId === null ? {} : { listId }),
      types: ['email_sent'],
    },
  })
  return { messageId, undefinedVariables: undefinedIn(template, given) }
}

/** Why somebody may not be mailed now; null: they may. */
async function reasonAgainst(
  trx: Trx,
  { keyring }: MailRoom,
  accountId: number,
  { state, email }: Held,
  listId: number | null,
): Promise<string | null> {
  const { suppressed } = await rulingOn(trx, keyring, accountId, email)
  const { reason } = sendable(state, suppressed)
  if (reason !== null || listId === null) return reason
  const [left] = await trx.query(sql`
    select from list_opt_outs where account_id = ${accountId} and list_id = ${listId} and email = ${email}`)
  return left ? `has left list ${listId}` : null
}

/**
 * Whether a mail may go to a contact now: as `sendable` says it, and to nobody who has left the list whose mail it is, if any. A
 * mail that asks for permission, and so has no link to leave, may go to whoever is not suppressed: it is taken back when it is void.
 */
export async function maySend(
  db: Queryable,
  accountId: number,
  contactId: string,
  { unsubscribeUrl, listId }: Pick<Letter, 'unsubscribeUrl' | 'listId'>,
): Promise<boolean> {
  const rows = await db.query(sql`
    select from contacts as c
    where c.account_id = ${accountId} and c.id = ${contactId}::uuid and not ${SUPPRESSED}
      and (c.state = 'subscribed' or ${unsubscribeUrl === undefined})
      and not exists (
        select from list_opt_outs as o where o.account_id = ${accountId} and o.list_id = ${listId ?? null} and o.email = c.email)`)
  return rows.length > 0
}

/**
 * Mails the template that greets whoever has just come. A template that is gone, or can not be made, and a person who may not
 * be mailed for another reason do not keep anyone from coming.
 */
export async function welcome(
  trx: Trx,
  room: MailRoom,
  accountId: number,
  person: Held,
  template: string | null,
): Promise<void> {
  if (template === null) return
  try {
    await sendTemplate(trx, room, accountId, person, { template, listId: null }, 'email')
  } catch (error) {
    if (!(error instanceof AppError)) throw error
  }
}
