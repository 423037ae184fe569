import sql, { join, type Sql } from 'sql-template-tag'
import type { Database } from '../server/db/database.ts'
import { filterOf } from '../server/features/contacts/filter.ts'
import { countIn, type Filter, PLANNER } from '../server/features/contacts/page.ts'
import { sumUpAll } from '../server/features/criteria/before.ts'
import { paceOf } from '../server/features/criteria/clock.ts'
import { membersOf } from '../server/features/criteria/membership.ts'
import { type Condition, parseCriteria } from '../server/features/criteria/parse.ts'
import { storedForm } from '../server/features/criteria/stored.ts'
import { loadFields } from '../server/features/fields/field-set.ts'
import { forgetRuns, loadAudience, REFUND, SPREAD } from './audience.ts'
import { clock } from './clock.ts'
import { duringImport } from './during-import.ts'
import { type Lab, openLab } from './lab.ts'
import { describeMachine } from './machine.ts'
import { digits, type Figure, progress } from './report.ts'
import { median, quantile } from './statistics.ts'
import { transitions } from './transitions.ts'

/** Rounds of each side, in turn. */
const ROUNDS = 3

export interface SegmentOptions {
  contacts: number
  /** Of the file that is imported. */
  rows: number
  /** Accounts of which each costs what the first one does. */
  others: number
  keepDir: string | undefined
  parts: readonly string[]
}

const PARTS: Record<string, (lab: Lab, options: SegmentOptions) => Promise<Figure[]>> = {
  load: async () => [],
  counts: ({ db }) => counts(db),
  reads: (lab) => reads(lab),
  transitions: ({ db }, { contacts }) => transitions(db, contacts),
  import: (lab, { rows }) => duringImport(lab, rows),
  clock: (lab, { others }) => clock(lab, others + 1),
}

/** Criteria over a large account with its events, against SQL written by hand; and how fast transitions are told. */
export async function benchSegments(options: SegmentOptions): Promise<{ machine: string; figures: Figure[] }> {
  const { contacts, keepDir, parts } = options
  const wanted = parts.length > 0 ? parts : Object.keys(PARTS)
  const unknown = wanted.filter((part) => !PARTS[part])
  if (unknown.length > 0) throw new Error(`segments has the parts ${Object.keys(PARTS).join(', ')}`)
  const lab = await openLab({ keepDir })
  try {
    await loadAudience(lab.db, contacts)
    const startedMs = performance.now()
    await sumUpAll(lab.db) // what a worker does in its first hour, and then once a day
    progress(`summed up what happened before today in ${digits((performance.now() - startedMs) / 1000)} s`)
    const figures: Figure[] = []
    for (const part of wanted) {
      await forgetRuns(lab.db)
      figures.push(...(await PARTS[part]!(lab, options)))
    }
    return {
      machine: `${await describeMachine(lab.db)}\n- ${contacts.toLocaleString('en')} contacts; ${SPREAD}.`,
      figures,
    }
  } finally {
    await lab.stop()
  }
}

async function filterBy(db: Database, criteria: object): Promise<Filter> {
  const fields = await loadFields(db, 1)
  const vocabulary = { fieldNamed: (tag: string) => fields.tagged(tag), fieldNames: () => fields.mergeTags }
  return filterOf(1, parseCriteria(criteria, vocabulary), { timeZone: 'UTC' })
}

interface Counted {
  what: string
  criteria: object
  /** The same by hand. */
  floor: Sql
  ratio: number
  ms: number
}

const COUNTED: Counted[] = [
  {
    what: 'count: two fields',
    criteria: { company: 'Anber Ltd', plan: 'free' },
    floor: sql`select count(*) from contacts where account_id = 1 and lower(fields ->> 'company') = 'anber ltd' and lower(fields ->> 'plan') = 'free'`,
    ratio: 1.1,
    ms: 400,
  },
  {
    what: 'count: opened at least twice in 30 days',
    criteria: { event: 'email_opened', within: '30d', count: { gte: 2 } },
    floor: sql`select count(*) from contacts as c join (
      select contact_id from events
      where account_id = 1 and type = 'email_opened' and at >= date_trunc('day', now()) - interval '30 days'
        and id >= id_floor(now() - interval '31 days') and (data -> 'machine') is distinct from 'true'
      group by contact_id having count(*) >= 2) as opened on opened.contact_id = c.id
      where c.account_id = 1`,
    ratio: 1.2,
    ms: 1500,
  },
  {
    what: 'count: not opened for 90 days',
    criteria: { not: { event: 'email_opened', within: '90d' } },
    floor: sql`select count(*) from contacts as c where c.account_id = 1 and not exists (
      select from events as e where e.account_id = 1 and e.contact_id = c.id and e.type = 'email_opened'
        and e.at >= date_trunc('day', now()) - interval '90 days' and e.id >= id_floor(now() - interval '91 days')
        and (data -> 'machine') is distinct from 'true')`,
    ratio: 1.2,
    ms: 2500,
  },
  {
    what: 'count: received but never clicked',
    criteria: { all: [{ event: 'email_delivered' }, { not: { event: 'email_clicked' } }] },
    floor: sql`select count(*) from contacts as c where c.account_id = 1
      and exists (select from events as e where e.account_id = 1 and e.contact_id = c.id and e.type = 'email_delivered')
      and not exists (select from events as e where e.account_id = 1 and e.contact_id = c.id and e.type = 'email_clicked'
        and (data -> 'machine') is distinct from 'true')`,
    ratio: 1.2,
    ms: 2500,
  },
]

/** Each as the service counts, its sample and its plan included; by hand as PostgreSQL plans it, and where it is left scans alone. */
async function counts(db: Database): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const { what, criteria, floor, ratio: most, ms } of COUNTED) {
    const filter = await filterBy(db, criteria)
    const product = () => db.transaction((trx) => countIn(trx, 1, filter))
    const byHand = (settings?: Sql) => async () => {
      const [row] = await db.transaction((trx) => {
        if (settings) trx.send(settings)
        return trx.query<{ count: number }>(floor)
      })
      return row!.count
    }
    const sides = { product, free: byHand(), scans: byHand(PLANNER.table) }
    const [own, hand] = [await product(), await sides.free()]
    if (own !== hand) throw new Error(`${what}: ${own}, by hand ${hand}`)
    const tookMs: Record<keyof typeof sides, number[]> = { product: [], free: [], scans: [] }
    for (let round = 0; round < ROUNDS; round++)
      for (const [side, count] of Object.entries(sides)) tookMs[side as keyof typeof sides].push(await timed(count))
    const [took, free, scans] = [median(tookMs.product), median(tookMs.free), median(tookMs.scans)]
    const least = Math.min(free, scans)
    progress(`${what}: ${digits(took)} ms, by hand ${digits(free)} ms, by scans ${digits(scans)} ms, ${own} contacts`)
    figures.push({
      what: `${what}, ${own.toLocaleString('en')} contacts`,
      measured: `${digits(took)} ms`,
      floor: `by hand: ${digits(free)} ms as planned, ${digits(scans)} ms by scans`,
      ratio: `${digits(took / least)} ×`,
      target: `≤ ${most} ×, ≤ ${ms} ms`,
      met: took / least <= most && took <= ms,
    })
  }
  return figures
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now()
  await act()
  return performance.now() - startedMs
}

const REFUNDED = { event: REFUND }
const OPENED_OFTEN = { event: 'email_opened', within: '2d', count: { gte: 4 } }

/** Who is in few: of smart lists alone, as no index on contacts finds them. */
const RARE = [
  { what: 'opened at least four times in 2 days', criteria: OPENED_OFTEN },
  { what: 'a rare custom event, ever', criteria: REFUNDED },
]

/** Criteria that nobody has made a list of. */
const SEARCHED: { what: string; criteria: (listId: (what: string) => number) => object }[] = [
  { what: 'clicked in 24 hours', criteria: () => ({ event: 'email_clicked', within: '24h' }) },
  { what: 'either of two rare events', criteria: () => ({ any: [REFUNDED, OPENED_OFTEN] }) },
  { what: 'a rare event and a frequent value', criteria: () => ({ all: [REFUNDED, { plan: 'free' }] }) },
  { what: 'a rare event or a rare value', criteria: () => ({ any: [REFUNDED, { company: 'Anber Ltd' }] }) },
  {
    what: 'a rare event, not clicked for 7 days',
    criteria: () => ({ all: [REFUNDED, { not: { event: 'email_clicked', within: '7d' } }] }),
  },
  {
    what: 'in the smart list of a rare event, and a value',
    criteria: (listId) => ({ all: [{ list: listId(RARE[1]!.what) }, { plan: 'free' }] }),
  },
  {
    what: 'opened at least six times in 7 days',
    criteria: () => ({ event: 'email_opened', within: '7d', count: { gte: 6 } }),
  },
  {
    what: 'opened at least 14 times in 30 days',
    criteria: () => ({ event: 'email_opened', within: '30d', count: { gte: 14 } }),
  },
]

/** The first page of smart lists and of the same criteria, with their totals; and why someone is in one: through the HTTP API. */
async function reads(lab: Lab): Promise<Figure[]> {
  const named = [...COUNTED.map(({ what, criteria }) => ({ what: what.replace('count: ', ''), criteria })), ...RARE]
  const lists = await tellLists(lab.db, named)
  const { address } = await lab.start('api')
  const call = async (method: string, path: string, body?: object) => {
    const response = await fetch(`${address}/api/${path}`, {
      method,
      headers: { 'api-token': lab.token, 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return response.json() as Promise<{ id: number; total: number; data: { id: string }[] }>
  }
  const figures: Figure[] = []
  for (const { id, what, criteria } of lists) {
    for (const [page, read, targetMs, times] of [
      ['first page of the list', () => call('GET', `contact_lists/${id}/contacts`), 100, 30],
      ['the list with its number', () => call('GET', `contact_lists/${id}`), undefined, 30],
      ['first page of a search', () => call('POST', 'contacts/search', { criteria }), 100, 20],
      ['preview', () => call('POST', 'contact_lists/preview', { criteria }), 100, 20],
      ['search with count=exact', () => call('POST', 'contacts/search', { criteria, count: 'exact' }), undefined, 4],
    ] as const) {
      await read()
      const tookMs: number[] = []
      for (let nth = 0; nth < times; nth++) tookMs.push(await timed(read))
      figures.push(figure(`${page}: ${what}`, tookMs, targetMs))
    }
    const page = await call('GET', `contact_lists/${id}/contacts`)
    const tookMs: number[] = []
    for (const contact of page.data.slice(0, 40))
      tookMs.push(await timed(() => call('GET', `contact_lists/${id}/contacts/${contact.id}/explain`)))
    figures.push(figure(`explain: ${what}`, tookMs.slice(3), 10))
  }
  const listId = (what: string) => lists.find((list) => list.what === what)!.id
  for (const { what, criteria: from } of SEARCHED) {
    const criteria = from(listId)
    for (const [page, read] of [
      ['first page of a search', () => call('POST', 'contacts/search', { criteria })],
      ['preview', () => call('POST', 'contact_lists/preview', { criteria })],
    ] as const) {
      await read()
      const tookMs: number[] = []
      for (let nth = 0; nth < 10; nth++) tookMs.push(await timed(read))
      figures.push(figure(`${page}: ${what}`, tookMs, 100))
    }
  }
  return figures
}

/** Tracked lists with their membership as the dispatcher leaves it, by one statement rather than in its chunks. */
async function tellLists(db: Database, named: { what: string; criteria: object }[]) {
  const fields = await loadFields(db, 1)
  const vocabulary = { fieldNamed: (tag: string) => fields.tagged(tag), fieldNames: () => fields.mergeTags }
  const lists: { id: number; what: string; criteria: object; condition: Condition }[] = []
  for (const { what, criteria } of named) {
    const condition = parseCriteria(criteria, vocabulary)
    const stored = JSON.stringify(storedForm(criteria, vocabulary))
    const [row] = await db.query<{ id: number }>(sql`
      insert into lists (account_id, name, criteria, clock)
      values (1, ${what}, ${stored}::jsonb, ${paceOf(condition)}) returning id`)
    lists.push({ id: row!.id, what, criteria, condition })
  }
  const told = lists.map(
    (list) =>
      sql`select id, ${list.id}::bigint as list_id from (${membersOf(1, list, { timeZone: 'UTC' })}) as members`,
  )
  await db.query(sql`
    insert into smart_memberships (account_id, contact_id, list_ids)
    select 1, id, array_agg(list_id order by list_id) from (${join(told, ' union all ')}) as told group by id order by id`)
  await db.query(sql`
    insert into smart_counts (account_id, list_id, version, contacts)
    select 1, id, criteria_version, (select count(*) from smart_memberships where account_id = 1 and list_ids @> array[l.id])
    from lists as l where account_id = 1`)
  await db.query(sql`insert into smart_looks (account_id) values (1)`)
  await db.query({ text: 'vacuum analyze smart_memberships', values: [] })
  progress('the membership of the lists has been told')
  return lists
}

function figure(what: string, tookMs: readonly number[], targetMs: number | undefined): Figure {
  const [p50, p95] = [quantile(tookMs, 0.5), quantile(tookMs, 0.95)]
  progress(`${what}: p50 ${digits(p50)} ms, p95 ${digits(p95)} ms`)
  return {
    what,
    measured: `p50 ${digits(p50)} ms, p95 ${digits(p95)} ms`,
    floor: '',
    ratio: '',
    target: targetMs === undefined ? '' : `p95 ≤ ${targetMs} ms`,
    met: targetMs === undefined ? undefined : p95 <= targetMs,
  }
}
