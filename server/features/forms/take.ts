import sql from 'sql-template-tag'
import { Type } from 'typebox'
import type { Trx } from '../../db/database.ts'
import type { JobName } from '../../jobs/queue.ts'
import type { Texts } from '../../languages/file.ts'
import { normaliseEmail } from '../../lib/email.ts'
import { hmac, hmacAll, type Keyring, openSealed, seal } from '../../lib/secret.ts'
import { coerceValue } from '../fields/coerce.ts'
import type { MailRoom } from '../mail/mail-room.ts'
import type { Evidence } from '../subscriptions/evidence.ts'
import { type Asked, EMAIL, inputName } from './form-page.ts'
import type { FormRow } from './forms.ts'

const PURPOSE = 'sign-up'

export const SignUpPayload = Type.Object({ accountId: Type.Integer(), signUpId: Type.String() })

/** As for mails: what it waits for may be away for hours. */
export const takeSignUp: JobName<typeof SignUpPayload> = {
  name: 'forms.sign-up',
  payload: SignUpPayload,
  attempts: 55,
  timeoutS: 120,
}

export const FORM_JOB_NAMES = [takeSignUp]

/** What somebody has sent by a form. */
export interface SignUp {
  email: string
  /** By the key of the field. */
  fields: Record<string, unknown>
  /** What the form said, and how we know. */
  evidence: Evidence
}

/** Reads what was posted: an address and values, or what is wrong by the name of the input. */
export function readPosted(
  values: URLSearchParams,
  asked: readonly Asked[],
  texts: Texts,
): { email: string; fields: Record<string, unknown> } | { problems: Record<string, string> } {
  const problems: Record<string, string> = {}
  const read = normaliseEmail(values.get(EMAIL) ?? '')
  if (!read.ok) problems[EMAIL] = texts.badEmail
  const fields: Record<string, unknown> = {}
  for (const { field, required } of asked) {
    const name = inputName(field)
    // A box that is not ticked is not sent.
    const given = values.get(name) ?? (field.type === 'boolean' && !required ? 'false' : '')
    const value = coerceValue(field.convertingTo ? { ...field, type: field.convertingTo } : field, given)
    if (!value.ok) problems[name] = texts.badValue
    else if (value.value === null && required) problems[name] = texts.missing
    else if (value.value !== null) fields[field.key] = value.value
  }
  return read.ok && Object.keys(problems).length === 0 ? { email: read.email, fields } : { problems }
}

/**
 * Keeps a sign-up to be taken in a moment. Nothing here depends on whether the address is known, so that the time it takes
 * tells nobody.
 */
export async function keepSignUp(trx: Trx, { queue, keyring }: MailRoom, form: FormRow, signUp: SignUp): Promise<void> {
  const { account_id: accountId, id } = form
  const [row] = await trx.query<{ id: string }>(sql`
    insert into sign_ups (account_id, form_id, mark, content)
    values (${accountId}, ${id}, ${hmac(keyring, PURPOSE, signUp.email).value}, ${seal(keyring, PURPOSE, JSON.stringify(signUp))}) returning id`)
  await queue.enqueue(trx, takeSignUp, { accountId, signUpId: row!.id })
}

/** Throws when its key is gone. */
export function openSignUp(keyring: Keyring, sealed: Uint8Array): SignUp {
  return JSON.parse(openSealed(keyring, PURPOSE, sealed)) as SignUp
}

/** Forgets what waits of these addresses: they are being erased. One that is just being taken is waited for. Answers how many. */
export async function forgetSignUps(
  trx: Trx,
  keyring: Keyring,
  accountId: number,
  emails: readonly string[],
): Promise<number> {
  const marks = emails.flatMap((email) => hmacAll(keyring, PURPOSE, email).map(({ value }) => value))
  const gone = await trx.query(
    sql`delete from sign_ups where account_id = ${accountId} and mark = any(${marks}::text[]) returning id`,
  )
  return gone.length
}
