import type { Trx } from '../../db/database.ts'
import { AppError } from '../../lib/app-error.ts'
import { type Asked, type Asking, askToConfirm } from './confirmations.ts'
import { type Held, setStanding } from './standing.ts'
import { rulingOn } from './suppressions.ts'
import { move } from './transitions.ts'

/**
 * Asks somebody, whose row is held, whether they want mail again: by a mail, or by a link for the caller to give them. By
 * itself it subscribes nobody. undefined: they are subscribed. Throws conflict, with the cure, where no mail may go to them.
 */
export async function resubscribe(
  trx: Trx,
  asking: Asking,
  accountId: number,
  person: Held,
  mail: boolean,
): Promise<Asked | undefined> {
  if (person.state === 'subscribed') return undefined
  const outcome = move(person, mail ? 'asked_by_mail' : 'asked_by_link')
  if (outcome !== undefined && 'refused' in outcome) throw new AppError('conflict', outcome.refused)
  if (mail && (await rulingOn(trx, asking.room.keyring, accountId, person.email)).suppressed)
    throw new AppError(
      'conflict',
      'Their address is suppressed: give them the link yourself (send_confirmation: false), or remove the suppression',
    )
  if (outcome) setStanding(trx, accountId, person, outcome.standing)
  return askToConfirm(trx, asking, accountId, person, mail)
}
