import sql, { type Sql } from 'sql-template-tag'
import type { Database } from '../server/db/database.ts'
import { dispatch } from '../server/features/activity/dispatcher.ts'
import { recording } from '../server/features/activity/record.ts'
import { compile } from '../server/features/criteria/compile.ts'
import { FOR_FEW, forSet } from '../server/features/criteria/forms.ts'
import { parseCriteria } from '../server/features/criteria/parse.ts'
import { loadFields } from '../server/features/fields/field-set.ts'
import { SmartListFollower } from '../server/features/lists/follower.ts'
import { contactFields, loadContacts } from './dataset.ts'
import { type Lab, openLab } from './lab.ts'
import { describeMachine } from './machine.ts'
import { digits, type Figure, progress } from './report.ts'
import { median, quantile } from './statistics.ts'

/** Events for each contact, on average. */
const EVENTS_PER_CONTACT = 10
/** Rounds of each side, in turn. */
const ROUNDS = 5
const SMART_LISTS = 100

export interface SegmentOptions {
  contacts: number
}

/** Criteria over a large account with its events, against SQL written by hand; and how fast transitions are told. */
export async function benchSegments({ contacts }: SegmentOptions): Promise<{ machine: string; figures: Figure[] }> {
  const lab = await openLab()
  try {
    await lab.db.query(contactFields(1))
    await loadContacts(lab.db, 1, contacts)
    await loadEvents(lab.db, contacts)
    progress('vacuum analyze')
    await lab.db.query({ text: 'vacuum analyze', values: [] })
    const figures = [...(await counts(lab.db)), ...(await reads(lab)), ...(await transitions(lab.db, contacts))]
    return { machine: await describeMachine(lab.db), figures }
  } finally {
    await lab.stop()
  }
}

/**
 * Ten events a contact on average, over 360 days up to now, more of them lately; who has few has almost none: a contact's
 * share falls with the square of a number that hashes from its id. 40 % delivered, 40 % opened, 12 % clicked, 8 % custom.
 */
async function loadEvents(db: Database, contacts: number): Promise<void> {
  const total = contacts * EVENTS_PER_CONTACT
  await db.query(sql`select make_event_partitions((now() - interval '13 months')::date, 13)`)
  const CHUNK = 500_000
  for (let done = 0; done < total; done += CHUNK) {
    const upTo = Math.min(done + CHUNK, total)
    await db.query(sql`
      with people as materialized (
        select id, row_number() over (order by id) - 1 as nth from contacts where account_id = 1
      )
      insert into events (account_id, id, contact_id, type, types, name, at, data)
      select 1, (left(replace(id_floor(at)::text, '-', ''), 12) || substr(replace(gen_random_uuid()::text, '-', ''), 13))::uuid,
        people.id, type, array[type], case when type = 'custom' then 'bought' end, at,
        case when type = 'email_opened' and n % 10 = 0 then '{"machine": true}'::jsonb
          when type = 'custom' then jsonb_build_object('params', jsonb_build_object('amount', n % 200)) else '{}' end
      from (
        select n, floor(power((hashint8extended(n, 1) & 1073741823) / 1073741824.0, 2) * ${contacts})::bigint as nth,
          now() - power((hashint8extended(n, 2) & 1073741823) / 1073741824.0, 1.5) * interval '360 days' as at,
          case when h < 40 then 'email_delivered' when h < 80 then 'email_opened' when h < 92 then 'email_clicked' else 'custom' end as type
        from (select n, hashint8extended(n, 3) & 1023 as h1024, ((hashint8extended(n, 3) & 1073741823) % 100) as h
          from generate_series(${done + 1}::bigint, ${upTo}::bigint) as n) as drawn
      ) as event join people using (nth)`)
    progress(`loaded ${upTo.toLocaleString('en')} events`)
  }
}

async function compiled(db: Database, criteria: object, form: 'set' | 'few' = 'set'): Promise<Sql> {
  const fields = await loadFields(db, 1)
  const vocabulary = { fieldNamed: (tag: string) => fields.tagged(tag), fieldNames: () => fields.mergeTags }
  return compile(parseCriteria(criteria, vocabulary), { timeZone: 'UTC' }, form === 'set' ? forSet(1) : FOR_FEW)
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

async function counts(db: Database): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const { what, criteria, floor, ratio: most, ms } of COUNTED) {
    const product = sql`select count(*) from contacts as c where c.account_id = 1 and ${await compiled(db, criteria)}`
    const [own, byHand] = [await answer(db, product), await answer(db, floor)]
    if (own !== byHand) throw new Error(`${what}: ${own}, by hand ${byHand}`)
    const tookMs: { product: number[]; floor: number[] } = { product: [], floor: [] }
    for (let round = 0; round < ROUNDS; round++) {
      tookMs.product.push(await timed(() => db.query(product)))
      tookMs.floor.push(await timed(() => db.query(floor)))
    }
    const [took, least] = [median(tookMs.product), median(tookMs.floor)]
    progress(`${what}: ${digits(took)} ms, by hand ${digits(least)} ms, ${own} contacts`)
    figures.push({
      what: `${what}, ${own.toLocaleString('en')} contacts`,
      measured: `${digits(took)} ms`,
      floor: `by hand: ${digits(least)} ms`,
      ratio: `${digits(took / least)} ×`,
      target: `≤ ${most} ×, ≤ ${ms} ms`,
      met: took / least <= most && took <= ms,
    })
  }
  return figures
}

async function answer(db: Database, counting: Sql): Promise<number> {
  const [row] = await db.query<{ count: number }>(counting)
  return row!.count
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now()
  await act()
  return performance.now() - startedMs
}

/** The first page of smart lists of several kinds, and why someone is in one, through the HTTP API. */
async function reads(lab: Lab): Promise<Figure[]> {
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
  for (const { what, criteria } of COUNTED) {
    const name = what.replace('count: ', '')
    const { id } = await call('POST', 'contact_lists', { name, criteria, track: false })
    for (const [page, query, targetMs] of [
      ['first page, total to 10,000', '?count=capped', 100],
      ['first page, exact total', '', undefined],
    ] as const) {
      const tookMs: number[] = []
      for (let nth = 0; nth < 30; nth++)
        tookMs.push(await timed(() => call('GET', `contact_lists/${id}/contacts${query}`)))
      figures.push(figure(`${page}: ${name}`, tookMs.slice(3), targetMs))
    }
    const page = await call('GET', `contact_lists/${id}/contacts?count=capped`)
    const tookMs: number[] = []
    for (const contact of page.data.slice(0, 40))
      tookMs.push(await timed(() => call('GET', `contact_lists/${id}/contacts/${contact.id}/explain`)))
    figures.push(figure(`explain: ${name}`, tookMs.slice(3), 10))
    await call('PATCH', `contact_lists/${id}`, { name: `${name}, not tracked` })
  }
  return figures
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

async function transitions(db: Database, contacts: number): Promise<Figure[]> {
  const fields = await loadFields(db, 1)
  const vocabulary = { fieldNamed: (tag: string) => fields.tagged(tag), fieldNames: () => fields.mergeTags }
  const { storedForm } = await import('../server/features/criteria/stored.ts')
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
