import sql from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'
import { forgetConfirmations } from '../subscriptions/confirmations.ts'
import { waitForAddresses } from '../subscriptions/leave-by-link.ts'
import type { State } from '../subscriptions/states.ts'
import { leaveWithdrawn, marksOf } from '../subscriptions/suppressions.ts'
import { idBy, type Tally } from './created.ts'
import { type MergeTerms, people, type Range } from './people.ts'

/** Someone who has come to have another address. */
export interface Move {
  id: string
  key: string
  from: string
  to: string
  state: State
  /** They have left under the new address before. */
  withdrawn: boolean
}

/** Which people come to have another address, and the keys of those who stay as they are since the address was erased. */
export interface Moves {
  moves: Move[]
  erased: string[]
}

const NO_MOVES: Moves = { moves: [], erased: [] }

/**
 * Gives people who are known by their external id the addresses of their rows, where nobody else has those. What was left
 * under the old address stays left under the new one; who has withdrawn under either comes in as gone; an address that was
 * erased is nobody's, and its rows are kept without it. The contacts are locked already.
 */
export async function moveAddresses(
  trx: Trx,
  terms: MergeTerms,
  range: Range,
): Promise<{ moves: Move[]; tally: Tally }> {
  const { accountId, actor, keyring } = terms
  const wanted = await wantedMoves(trx, terms, range)
  if (wanted.length === 0) return { moves: [], tally: { duplicates: 0 } }
  // Else who is being erased at this moment has no mark yet.
  await waitForAddresses(
    trx,
    accountId,
    wanted.map(({ to }) => to),
  )
  const { moves, erased } = await judged(trx, terms, wanted)
  await write(trx, accountId, moves)
  forgetConfirmations(
    trx,
    accountId,
    moves.map(({ id }) => id),
  )
  leaveWithdrawn(
    trx,
    keyring,
    accountId,
    moves.map(({ from, state }) => ({ email: from, state })),
    actor,
  )
  return { moves, tally: erased.length === 0 ? { duplicates: 0 } : await keepWithout(trx, terms, range, erased) }
}

/** What `moveAddresses` would do, for a trial. */
export async function plannedMoves(trx: Trx, terms: MergeTerms, range: Range): Promise<Moves> {
  return judged(trx, terms, await wantedMoves(trx, terms, range))
}

type Wanted = Omit<Move, 'withdrawn'>

/** Whose rows give them an address that is nobody's. */
async function wantedMoves(trx: Trx, terms: MergeTerms, range: Range): Promise<Wanted[]> {
  const { accountId, matchBy, updateExisting } = terms
  if (matchBy !== 'external_id' || !updateExisting) return []
  return trx.query<Wanted>(sql`
    with ${people(terms, range)}
    select c.id, p.key, c.email as from, p.email as to, c.state
    from people as p
      cross join lateral (select * from contacts as c where c.account_id = ${accountId} and c.external_id = p.key limit 1) as c
    where p.email is not null and p.email <> c.email and (${idBy(sql`email`, accountId, sql`p.email`)}) is null
    order by p.line desc`)
}

/** Of several who want one address, the last of the file gets it. */
async function judged(trx: Trx, { accountId, keyring }: MergeTerms, wanted: readonly Wanted[]): Promise<Moves> {
  if (wanted.length === 0) return NO_MOVES
  const addresses = [...new Set(wanted.map(({ to }) => to))]
  const marks = await marksOf(trx, keyring, accountId, addresses)
  const isErased = ({ to }: Wanted) => marks.get(to) === 'erased'
  // The last of the file comes first, and takes the place of those behind it.
  const byAddress = new Map(wanted.toReversed().map((move) => [move.to, move]))
  return {
    moves: [...byAddress.values()]
      .filter((move) => !isErased(move))
      .map((move) => ({ ...move, withdrawn: marks.get(move.to) === 'withdrawn' })),
    erased: wanted.filter(isErased).map(({ key }) => key),
  }
}

async function write(trx: Trx, accountId: number, moves: readonly Move[]): Promise<void> {
  if (moves.length === 0) return
  const moved = sql`
    unnest(${moves.map(({ id }) => id)}::uuid[], ${moves.map(({ from }) => from)}::text[], ${moves.map(({ to }) => to)}::text[])
      as moved (id, from_email, to_email)`
  await trx.query(sql`
    update contacts as c set email = moved.to_email from ${moved}
    where c.account_id = ${accountId} and c.id = any(${moves.map(({ id }) => id)}::uuid[]) and c.id = moved.id`)
  trx.send(sql`
    with gone as (
      delete from list_opt_outs as o using ${moved}
      where o.account_id = ${accountId} and o.email = moved.from_email returning o.list_id, moved.to_email, o.at
    )
    insert into list_opt_outs (account_id, list_id, email, at) select ${accountId}, list_id, to_email, at from gone
    on conflict do nothing`)
  trx.send(sql`
    delete from list_members as m using ${moved}, list_opt_outs as o
    where m.account_id = ${accountId} and m.contact_id = moved.id
      and o.account_id = ${accountId} and o.email = moved.to_email and o.list_id = m.list_id`)
}

/** Rows that would have given someone an address that was erased: they change nothing, and keep nothing of it. */
async function keepWithout(trx: Trx, terms: MergeTerms, range: Range, erased: readonly string[]): Promise<Tally> {
  const { accountId, importId } = terms
  const [tally] = await trx.query<Tally>(sql`
    with ${people(terms, range)}, kept as (
      insert into change_rows (account_id, change_set_id, line, action)
      select ${accountId}::bigint, ${importId}::bigint, r.line, case when r.line = p.line then 'suppressed' else 'duplicate' end
      from people as p join import_rows as r
        on r.account_id = ${accountId} and r.import_id = ${importId} and r.key = p.key
      where p.key = any(${[...erased]}::text[])
      returning action
    )
    select count(*) filter (where action = 'suppressed') as suppressed, count(*) filter (where action = 'duplicate') as duplicates
    from kept`)
  return tally!
}
