import sql from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'

/** What is counted of a form. */
export interface FormCount {
  signUps?: number
  confirmed?: number
}

/**
 * Counts what has come by a form in this quarter of an hour; of one that is gone, nothing. The last statement of its transaction:
 * others who sign up at this moment wait for the row. Sent, not awaited.
 */
export function countForm(
  trx: Trx,
  accountId: number,
  formId: number,
  { signUps = 0, confirmed = 0 }: FormCount,
): void {
  trx.send(sql`
    insert into form_counts as n (account_id, form_id, quarter, sign_ups, confirmed)
    select account_id, id, date_bin('15 minutes', statement_timestamp(), 'epoch'), ${signUps}::int, ${confirmed}::int
    from forms where account_id = ${accountId} and id = ${formId} for key share
    on conflict (account_id, form_id, quarter) do update
      set sign_ups = n.sign_ups + excluded.sign_ups, confirmed = n.confirmed + excluded.confirmed`)
}
