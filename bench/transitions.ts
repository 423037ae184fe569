import sql from 'sql-template-tag'
import type { Database } from '../server/db/database.ts'
import { dispatch } from '../server/features/activity/dispatcher.ts'
import { recording } from '../server/features/activity/record.ts'
import { parseCriteria } from '../server/features/criteria/parse.ts'
import { storedForm } from '../server/features/criteria/stored.ts'
import { loadFields } from '../server/features/fields/field-set.ts'
import { SmartListFollower } from '../server/features/lists/follower.ts'
import { digits, type Figure, progress } from './report.ts'

const SMART_LISTS = 100

/** A hundred smart lists: fields, tags, states, addresses, events and dates, alone and together. */
function hundredLists(): object[] {
  const plans = ['free', 'starter', 'team', 'enterprise']
  return Array.from({ length: SMART_LISTS }, (_, n) => {
    switch (n % 10) {
      case 0:
        return { plan: plans[n % 4], subscribed: true }
      case 1:
        return { all: [{ field: 'age', op: 'gte', value: 18 + n / 2 }, { plan: plans }] }
      case 2:
        return { any: [{ tag: 'vip' }, { field: 'company', op: 'starts_with', value: 'an' }] }
      case 3:
        return { all: [{ field: 'email_domain', value: 'gmail.com' }, { not: { tag: 'customer' } }] }
      case 4:
        return { event: 'email_opened', within: `${7 + n}d`, count: { gte: 1 + (n % 3) } }
      case 5:
        return { all: [{ event: 'email_delivered' }, { not: { event: 'email_clicked', within: `${n + 5}d` } }] }
      case 6:
        return { field: 'created_at', op: 'within_last', value: n + 1 }
      case 7:
        return { first_name: ['Anna', 'Maria', 'Xenia'], tag: 'newsletter' }
      case 8:
        return { all: [{ subscribed: true }, { event: 'bought', params: [{ param: 'amount', op: 'gte', value: n }] }] }
      default:
        return { field: 'last_name', op: 'contains', value: ['an', 'er', 'mü'][n % 3] }
    }
  })
}

export async function transitions(db: Database, contacts: number): Promise<Figure[]> {
  const fields = await loadFields(db, 1)
  const vocabulary = { fieldNamed: (tag: string) => fields.tagged(tag), fieldNames: () => fields.mergeTags }
  for (const [n, criteria] of hundredLists().entries()) {
    parseCriteria(criteria, vocabulary)
    await db.query(sql`
      insert into lists (account_id, name, criteria) values (1, ${`Smart ${n}`}, ${JSON.stringify(storedForm(criteria, vocabulary))}::jsonb)`)
  }
  const follower = new SmartListFollower({ onDifferences: () => {} })
  const empty = async () => {
    let placed = 0
    for (let acts = 1; acts > 0; ) {
      acts = await dispatch(db, 1, follower)
      placed += acts
    }
    return placed
  }
  await empty()
  const figures: Figure[] = []
  const bulk = Math.min(contacts, 200_000)
  for (const [what, rows, each, data, least] of [
    ['bulk acts that may have changed anything', bulk / 5000, 5000, '{}', 40_000],
    ['the same again, by which nobody moves', bulk / 5000, 5000, '{}', 40_000],
    ['bulk acts that changed a field', bulk / 5000, 5000, '{"fields": {"company": {"to": "Anber Ltd"}}}', 40_000],
    [
      'single acts that changed a field',
      Math.min(20_000, contacts),
      1,
      '{"fields": {"company": {"to": "Anber Ltd"}}}',
      5000,
    ],
  ] as const) {
    progress(`${what}: filling the outbox`)
    await fillOutbox(db, rows, each, data)
    const [before] = await db.query<{ position: number }>(sql`select position from feed_heads where account_id = 1`)
    const tookMs = await timed(empty)
    const [after] = await db.query<{ position: number }>(sql`select position from feed_heads where account_id = 1`)
    const acts = rows * each
    const told = after!.position - before!.position - acts
    const perSecond = acts / (tookMs / 1000)
    progress(`${what}: ${digits(perSecond)} events/s, ${told} transitions`)
    figures.push({
      what: `${what}, ${acts.toLocaleString('en')} at ${SMART_LISTS} smart lists, ${told.toLocaleString('en')} transitions`,
      measured: `${digits(perSecond)} events/s`,
      floor: '',
      ratio: '',
      target: `≥ ${least.toLocaleString('en')} events/s`,
      met: perSecond >= least,
    })
  }
  return figures
}

/** Acts on contacts in order of their ids, as an import makes them, or one by one. */
async function fillOutbox(db: Database, rows: number, each: number, data: string): Promise<void> {
  let after = '00000000-0000-0000-0000-000000000000'
  const AT_ONCE = each === 1 ? rows : 1
  for (let row = 0; row < rows; row += AT_ONCE) {
    const people = sql`
      select id as contact_id, '{updated}'::text[] as types, null::text as name, null::timestamptz as at, ${data}::jsonb as data
      from contacts where account_id = 1 and id > ${after}::uuid order by id limit ${each * AT_ONCE}`
    if (each === 1) {
      await db.query(
        sql`select count(record_act(1, contact_id, types, name, at, data, null)) from (${people}) as people`,
      )
      return
    }
    const [last] = await db.query<{ id: string }>(sql`
      with ${recording(1, people, row + 1)} select id from contacts where account_id = 1 and id > ${after}::uuid order by id offset ${each - 1} limit 1`)
    after = last!.id
  }
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now()
  await act()
  return performance.now() - startedMs
}
