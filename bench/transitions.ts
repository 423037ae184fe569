import sql, { type Sql } from 'sql-template-tag'
import type { Database } from '../server/db/database.ts'
import { BulkPace } from '../server/features/activity/batch.ts'
import { dispatch } from '../server/features/activity/dispatcher.ts'
import { recording } from '../server/features/activity/record.ts'
import { parseCriteria } from '../server/features/criteria/parse.ts'
import { storedForm } from '../server/features/criteria/stored.ts'
import { loadFields } from '../server/features/fields/field-set.ts'
import { SmartListFollower } from '../server/features/lists/follower.ts'
import { digits, type Figure, progress } from './report.ts'

export const SMART_LISTS = 100

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

interface Round {
  what: string
  /** Events of one act. */
  each: number
  type: string
  data: string
  least: number
  /** What the acts do to the contacts that they are about, over `contacts as c`; nothing where nobody is to move. */
  change?: Sql
  acts: number
}

const COMPANY = '{"fields": {"company": {"to": "Anber Ltd"}}}'

function roundsOf(contacts: number): Round[] {
  const bulk = { each: 5000, acts: Math.min(contacts, 200_000), least: 40_000, type: 'updated' }
  const toggled = sql`state = case state when 'subscribed' then 'unsubscribed' when 'unsubscribed' then 'subscribed' else state end`
  const company = sql`fields = c.fields || '{"company": "Anber Ltd"}'`
  return [
    {
      ...bulk,
      what: 'bulk acts that may have changed anything, and have changed the state',
      data: '{}',
      change: toggled,
    },
    { ...bulk, what: 'bulk acts that may have changed anything, by which nobody moves', data: '{}' },
    { ...bulk, what: 'bulk acts that changed a field', data: COMPANY, change: company },
    { ...bulk, what: 'bulk acts that changed a field, by which nobody moves', data: COMPANY },
    { ...bulk, what: 'bulk acts that created contacts', data: '{"email": {"to": "x@example.com"}}', type: 'created' },
    {
      ...bulk,
      what: 'single acts that changed a field',
      data: COMPANY,
      each: 1,
      acts: Math.min(20_000, contacts),
      least: 5000,
    },
  ]
}

/** How many events a second the dispatcher places, those of acts and the transitions that follow from them, in an account with a hundred smart lists. */
export async function transitions(db: Database, contacts: number): Promise<Figure[]> {
  const follower = new SmartListFollower({ onDifferences: () => {} })
  const pace = new BulkPace()
  const empty = () => emptied(db, follower, pace)
  await makeLists(db)
  progress('comparing all contacts with all lists')
  await empty()
  const figures: Figure[] = []
  for (const { what, each, acts, type, data, least, change } of roundsOf(contacts)) {
    progress(`${what}: filling the outbox`)
    const made = type === 'created' ? await newContacts(db, acts) : sql`true`
    const people = sql`select c.id from contacts as c where c.account_id = 1 and ${made} order by c.id limit ${acts}`
    if (change) await db.query(sql`update contacts as c set ${change} where c.account_id = 1 and c.id in (${people})`)
    await fillOutbox(db, people, { acts, each, type, data })
    await db.query({ text: 'vacuum analyze', values: [] })
    const before = await lastPosition(db)
    const tookMs = await timed(empty)
    const told = (await lastPosition(db)) - before - acts
    const perSecond = (acts + told) / (tookMs / 1000)
    const actsAlone = told > 0 ? `, ${digits(acts / (tookMs / 1000))} without transitions` : ''
    progress(`${what}: ${digits(perSecond)} events/s${actsAlone}`)
    figures.push({
      what: `${what}, ${acts.toLocaleString('en')} at ${SMART_LISTS} smart lists, ${told.toLocaleString('en')} transitions`,
      measured: `${digits(perSecond)} events/s${actsAlone}`,
      floor: '',
      ratio: '',
      target: `≥ ${least.toLocaleString('en')} events/s`,
      met: perSecond >= least,
    })
  }
  return figures
}

/** The lists, and one comparison of all: their taking over one by one would come to the same. */
export async function makeLists(db: Database): Promise<void> {
  const fields = await loadFields(db, 1)
  const vocabulary = { fieldNamed: (tag: string) => fields.tagged(tag), fieldNames: () => fields.mergeTags }
  for (const [n, criteria] of hundredLists().entries()) {
    parseCriteria(criteria, vocabulary)
    await db.query(sql`
      with list as (
        insert into lists (account_id, name, criteria) values (1, ${`Smart ${n}`}, ${JSON.stringify(storedForm(criteria, vocabulary))}::jsonb)
        returning id, criteria_version
      ) insert into smart_counts (account_id, list_id, version, contacts) select 1, id, criteria_version, 0 from list`)
  }
  await db.query(sql`insert into smart_looks (account_id) values (1)`)
  await db.query(sql`insert into outbox (account_id, event_ids, size, kind) values (1, '{}', 0, 'comparison')`)
}

async function emptied(db: Database, follower: SmartListFollower, pace: BulkPace): Promise<void> {
  for (;;) {
    await dispatch(db, 1, follower, pace)
    const [waits] = await db.query(sql`select from outbox where account_id = 1 limit 1`)
    if (!waits) return
  }
}

/** As many as nothing has happened to, who go with the next run; answers which they are. */
async function newContacts(db: Database, count: number): Promise<Sql> {
  const [last] = await db.query<{ id: string }>(sql`select new_id() as id`)
  await db.query(sql`
    insert into contacts (account_id, email, state, fields, tags, origin)
    select 1, 'new.' || c.email, c.state, c.fields, c.tags, 'bench' from (
      select * from contacts where account_id = 1 order by id limit ${count}) as c`)
  return sql`c.id > ${last!.id}::uuid`
}

async function lastPosition(db: Database): Promise<number> {
  const [head] = await db.query<{ position: number }>(sql`select position from feed_heads where account_id = 1`)
  return head!.position
}

/** Acts on contacts in order of their ids, as an import makes them, or one by one. */
async function fillOutbox(
  db: Database,
  people: Sql,
  { acts, each, type, data }: Pick<Round, 'acts' | 'each' | 'type' | 'data'>,
): Promise<void> {
  const about = sql`
    select id as contact_id, array[${type}::text] as types, null::text as name, null::timestamptz as at, ${data}::jsonb as data`
  if (each === 1) {
    await db.query(sql`
      select count(record_act(1, contact_id, types, name, at, data, null)) from (${about} from (${people}) as people) as acts`)
    return
  }
  for (let row = 0; row < acts / each; row++) {
    const some = sql`${about} from (select id from (${people}) as people order by id offset ${row * each} limit ${each}) as people`
    await db.query(sql`with ${recording(1, some, row + 1)} select`)
  }
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now()
  await act()
  return performance.now() - startedMs
}
