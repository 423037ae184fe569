import sql from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'
import type { EventType } from '../activity/event-types.ts'
import { record } from '../activity/record.ts'
import type { Standing } from './states.ts'

/** Somebody whose row is held. */
export interface Held extends Standing {
  id: string
  email: string
}

/** Locks contacts in the order of their ids, as all who change many do. Those that are not there are left out. */
export function holdStandings(trx: Trx, accountId: number, ids: readonly string[]): Promise<Held[]> {
  return trx.query<Held>(sql`
    select id, email, state, state_reason, state_before from contacts
    where account_id = ${accountId} and id = any(${[...ids]}::uuid[]) order by id for update`)
}

/** Writes where someone stands from now on, and tells of it. Sent, not awaited. */
export function setStanding(trx: Trx, accountId: number, { id, state: from }: Held, now: Standing): void {
  trx.send(sql`
    update contacts set state = ${now.state}, state_reason = ${now.state_reason}, state_before = ${now.state_before},
      state_at = statement_timestamp(), updated_at = statement_timestamp()
    where account_id = ${accountId} and id = ${id}`)
  const told: EventType = now.state === 'subscribed' || now.state === 'unsubscribed' ? now.state : 'updated'
  const data = {
    ...(from === now.state ? {} : { state: { from, to: now.state } }),
    ...(now.state_reason === null ? {} : { state_reason: { to: now.state_reason } }),
  }
  record(trx, accountId, [{ contactId: id, types: [told], data }])
}
