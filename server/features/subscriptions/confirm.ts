import sql, { type Sql } from 'sql-template-tag'
import type { Queryable, Trx } from '../../db/database.ts'
import { findAccount } from '../accounts/accounts.ts'
import { loadFields } from '../fields/field-set.ts'
import type { MailRoom } from '../mail/mail-room.ts'
import { type Leads, readToken } from './confirmations.ts'
import { type Evidence, keepWord } from './evidence.ts'
import { fillFields } from './fill.ts'
import { countForm } from './form-counts.ts'
import { holdLists, joinLists } from './join.ts'
import { welcome } from './send-template.ts'
import { type Held, holdStandings, setStanding } from './standing.ts'
import { forgiveWithdrawal } from './suppressions.ts'
import { move } from './transitions.ts'

/** `open`: it can confirm. `used`: it has, and the person is subscribed. */
export type TokenState = 'open' | 'used'

export interface Token {
  accountId: number
  is: TokenState
  /** What they join by it. */
  listIds: readonly number[]
}

interface TokenRow {
  contact_id: string
  is_used: boolean
  is_expired: boolean
  data: Leads
}

const COLUMNS = sql`contact_id, data, used_at is not null as is_used, expires_at <= now() as is_expired`

/** What a link is good for, without using it; undefined: nothing. */
export async function lookAtToken(db: Queryable, token: string): Promise<Token | undefined> {
  const named = readToken(token)
  if (!named) return undefined
  const { accountId, hash } = named
  const [row] = await db.query<TokenRow & { is_subscribed: boolean }>(selectToken(accountId, hash))
  if (!row) return undefined
  const listIds = row.data.lists ?? []
  if (row.is_used) return row.is_subscribed ? { accountId, is: 'used', listIds } : undefined
  return row.is_expired ? undefined : { accountId, is: 'open', listIds }
}

/** A link as it stands, and whether whom it is for is subscribed. */
export function selectToken(accountId: number, hash: Buffer): Sql {
  return sql`
    select ${COLUMNS}, exists (
      select from contacts as c where c.account_id = ${accountId} and c.id = contact_id and c.state = 'subscribed') as is_subscribed
    from confirmations
    where account_id = ${accountId} and hash = ${hash} and purpose = 'subscribe'`
}

/**
 * A person confirms: they are subscribed, whatever they or others have said before, and their earlier withdrawals are over;
 * they join the lists that the link is for. Other links that are for no more than to confirm are used up by it. undefined: the
 * link is good for nothing. Following it twice is no mistake.
 */
export async function confirm(
  trx: Trx,
  room: MailRoom,
  token: string,
  evidence: Evidence,
): Promise<{ accountId: number } | undefined> {
  const named = readToken(token)
  if (!named) return undefined
  const { accountId, hash } = named
  const find = () =>
    trx.query<TokenRow>(sql`select ${COLUMNS} from confirmations
    where account_id = ${accountId} and hash = ${hash} and purpose = 'subscribe'`)
  // Lists and fields before the contact, as everyone who needs both.
  const { before, listIds } = await holdLed(trx, accountId, find)
  if (!before) return undefined
  const fields = before.data.fields ? await loadFields(trx, accountId) : undefined
  const [person] = await holdStandings(trx, accountId, [before.contact_id])
  // Again, now that nobody else can use or void it: whoever did so while we waited for the contact has done so.
  const [row] = person ? await find() : []
  if (!person || !row) return undefined
  if (row.is_used) return person.state === 'subscribed' ? { accountId } : undefined
  if (row.is_expired) return undefined
  const { form, fields: values, welcome: template } = row.data
  const outcome = move(person, 'confirms')
  const isMoved = outcome !== undefined && !('refused' in outcome)
  if (isMoved) setStanding(trx, accountId, person, outcome.standing)
  const seen = form ? { ...evidence, data: { ...evidence.data, form } } : evidence
  keepWord(trx, accountId, person.id, 'granted', seen)
  await joinLists(trx, accountId, person, listIds, seen, form && { id: form.id, version: form.version })
  if (fields && values) await fillFields(trx, accountId, person.id, fields, values)
  trx.send(sql`
    update confirmations set used_at = statement_timestamp()
    where account_id = ${accountId} and contact_id = ${person.id} and used_at is null and expires_at > now()
      and purpose = 'subscribe' and (hash = ${hash} or data = '{}')`)
  forgiveWithdrawal(trx, room.keyring, accountId, person.email)
  const now: Held = isMoved ? { ...person, ...outcome.standing } : person
  await welcome(trx, room, accountId, now, template ?? (isMoved ? await welcomeOf(trx, accountId) : null))
  if (form) countForm(trx, accountId, Number(form.id), { confirmed: 1 })
  return { accountId }
}

/** A link with the lists it leads to, held: which these are can change while they are waited for, as lists are being merged. */
async function holdLed(
  trx: Trx,
  accountId: number,
  find: () => Promise<TokenRow[]>,
): Promise<{ before?: TokenRow | undefined; listIds: number[] }> {
  for (let seen = ''; ; ) {
    const [before] = await find()
    const lists = before?.data.lists ?? []
    const listIds = await holdLists(trx, accountId, lists)
    if (listIds.length === lists.length || String(lists) === seen) return { before, listIds }
    seen = String(lists)
  }
}

async function welcomeOf(trx: Trx, accountId: number): Promise<string | null> {
  return (await findAccount(trx, accountId)).settings.welcome_template
}
