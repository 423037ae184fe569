import fc from 'fast-check'
import sql, { type Sql } from 'sql-template-tag'
import type { Queryable } from '../../db/database.ts'
import { STATES } from '../subscriptions/states.ts'
import type { Happening, Person, World } from './reference.ts'

/** People, what happened to them, and criteria about them, for property-based tests. */

const texts = fc.constantFrom('Oslo', 'OSLO', 'O%s_l', "o'brien; --", 'ÅRHUS', 'årh', '\\', '50%', '100', 'true')
const numbers = fc.constantFrom(-1, -1e-7, 0, 0.1, 0.30000000000000004, 1, 41, 41.5, 1e15, 1e21)
/** Other kinds under a number's key are those that a conversion has not come to yet. */
const ages = fc.oneof({ weight: 3, arbitrary: numbers }, fc.constantFrom('40', true))
const options = fc.constantFrom('Free', 'Pro')
const tags = fc.constantFrom('customer', 'lead', "it's")

/** Moments at which something turns: midnights, changes of the clock, the ends of February. */
export const NOWS = [
  '2026-03-28T23:30:00.000Z',
  '2026-10-25T12:00:00.000Z',
  '2027-02-28T11:00:00.000Z',
  '2028-02-28T18:45:00.000Z',
  '2026-12-31T23:59:59.999Z',
].map((at) => new Date(at))
export const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata']

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** Before now, in ms: about the edges of the windows below. */
const distances = fc
  .tuple(
    fc.constantFrom(0, HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 8 * DAY, 30 * DAY, 31 * DAY, 365 * DAY),
    fc.constantFrom(-1, 0, 1, 61_000, 5 * HOUR),
  )
  .map(([distance, more]) => Math.max(0, distance + more))

/** How far events are summed up: between any of theirs. */
export const summedUpUntil = (now: Date): fc.Arbitrary<Date> =>
  fc.oneof(distances, fc.constant(-DAY)).map((distance) => new Date(now.getTime() - distance))

const day = (now: Date) =>
  fc
    .oneof(
      fc.constantFrom('1999-12-31', '2024-02-29', '2026-01-01', '2024-02-28', '2024-03-01'),
      fc.integer({ min: -9, max: 9 }).map((days) => new Date(now.getTime() + days * DAY).toISOString().slice(0, 10)),
      fc
        .integer({ min: -9, max: 9 })
        .map((days) => `1990${new Date(now.getTime() + days * DAY).toISOString().slice(4, 10)}`),
    )
    .filter((text) => !text.endsWith('-02-29') || text.startsWith('2024') || text.startsWith('2028'))

const happening = (now: Date): fc.Arbitrary<Happening> =>
  fc
    .tuple(
      fc.oneof(
        fc
          .constantFrom('email_opened', 'email_opened', 'email_clicked', 'email_delivered', 'updated')
          .map((type) => ({ type, name: null })),
        fc.constantFrom('bought', 'Bought', 'email_read').map((name) => ({ type: 'custom', name })),
      ),
      distances,
      fc.record(
        { city: texts, amount: numbers, vip: fc.boolean(), plan: fc.oneof(options, numbers, fc.constant(null)) },
        { requiredKeys: [] },
      ),
      fc.boolean(),
    )
    .map(([kind, distance, params, machine]) => ({ ...kind, at: new Date(now.getTime() - distance), params, machine }))

export const person = (now: Date): fc.Arbitrary<Person> =>
  fc.record({
    email: fc
      .tuple(fc.constantFrom('ann', 'bob', 'o_slo', 'a+b'), fc.uuid(), fc.constantFrom('example.com', 'oslo.no'))
      .map(([name, id, domain]) => `${name}-${id}@${domain}`),
    external_id: fc.option(fc.uuid()),
    state: fc.constantFrom(...STATES, 'subscribed' as const),
    suppressed: fc.constantFrom(
      null,
      null,
      'always' as const,
      new Date(now.getTime() + HOUR),
      new Date(now.getTime() - HOUR),
    ),
    fields: fc.record(
      { city: texts, age: ages, born: day(now), plan: options, vip: fc.boolean() },
      { requiredKeys: [] },
    ),
    tags: fc.uniqueArray(tags, { maxLength: 2 }),
    lists: fc.subarray([1, 2]),
    left: fc.subarray([3, 4]),
    events: fc.array(happening(now), { maxLength: 6 }),
    created_at: distances.map((distance) => new Date(now.getTime() - distance)),
  })

const about = (field: fc.Arbitrary<string>, ops: string[], value: fc.Arbitrary<unknown>) =>
  fc.record({ field, op: fc.constantFrom(...ops), value })
const pair = <T>(value: fc.Arbitrary<T>) => fc.tuple(value, value)
const many = <T>(value: fc.Arbitrary<T>) => fc.array(value, { maxLength: 3 })
const name = (...names: string[]) => fc.constantFrom(...names)
const text = name('city', 'email', 'email_domain', 'external_id')
const TEXTUAL = ['eq', 'ne', 'contains', 'not_contains', 'starts_with', 'ends_with']
const NUMERIC = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte']

const param = fc.oneof(
  fc.record({ param: name('city', 'plan'), op: fc.constantFrom(...TEXTUAL), value: texts }),
  fc.record({ param: name('amount', 'plan'), op: fc.constantFrom(...NUMERIC), value: numbers }),
  fc.record({
    param: name('amount'),
    op: fc.constantFrom('in', 'not_in'),
    value: fc.array(numbers, { minLength: 1, maxLength: 2 }),
  }),
  fc.record({ param: name('vip'), value: fc.boolean() }),
  fc.record({ param: name('vip', 'plan', 'city'), op: fc.constantFrom('is_set', 'is_not_set') }),
)

const event = fc.record(
  {
    event: fc.oneof(
      name('email_opened', 'email_clicked', 'email_delivered', 'updated', 'bought', 'email_read', 'custom'),
      fc.constant(['email_clicked', 'bought']),
      fc.constant(['email_delivered', 'updated']),
    ),
    within: name('1h', '12h', '24h', '1d', '7d', '1w', '30d'),
    count: fc.oneof(
      fc.record({ gte: fc.nat(3) }),
      fc.record({ lte: fc.nat(2) }),
      fc.record({ eq: fc.nat(2) }),
      fc.record({ gt: fc.nat(2), lt: fc.nat(4) }),
    ),
    params: fc.oneof(
      fc.array(param, { maxLength: 2 }),
      fc.record({ city: texts, plan: fc.constant(null) }, { requiredKeys: [] }),
    ),
    machine: fc.boolean(),
  },
  { requiredKeys: ['event'] },
)

const leaf = (now: Date) => {
  const days = day(now)
  const dates = name('born', 'created_at')
  return fc.oneof(
    about(text, TEXTUAL, fc.oneof(texts, fc.constantFrom('oslo.no', 'a', '_', 'N'))),
    about(text, ['in', 'not_in'], many(texts)),
    about(name('age'), NUMERIC, numbers),
    about(name('age'), ['in', 'not_in'], many(numbers)),
    about(name('age'), ['between'], pair(numbers)),
    about(dates, [...NUMERIC, 'before', 'after', 'on'], days),
    about(dates, ['between'], pair(days)),
    about(dates, ['within_last', 'older_than', 'within_next'], fc.constantFrom(0, 1, '7d', 30)),
    about(dates, ['anniversary_within'], fc.constantFrom(0, 1, '7d', 365)),
    about(
      name('plan'),
      ['eq', 'ne'],
      options.map((option) => option.toUpperCase()),
    ),
    about(name('plan'), ['in', 'not_in'], many(options)),
    about(name('vip', 'subscribed', 'sendable'), ['eq', 'ne'], fc.boolean()),
    about(name('state'), ['eq', 'ne'], fc.constantFrom(...STATES)),
    about(name('status'), ['eq', 'ne'], fc.constantFrom('subscribed', 'unsubscribed')),
    fc.record({
      field: name('city', 'age', 'born', 'plan', 'vip', 'external_id', 'email'),
      op: fc.constantFrom('is_set', 'is_not_set'),
    }),
    fc.record({ tag: fc.oneof(tags, fc.array(tags, { minLength: 1, maxLength: 2 })) }),
    event,
    event,
    fc.record(
      {
        city: fc.oneof(texts, fc.array(texts, { maxLength: 2 }), fc.constant(null)),
        plan: options,
        subscribed: fc.boolean(),
      },
      { requiredKeys: [] },
    ),
  )
}

/** @param lists What a condition may name. */
export function criteria(now: Date, lists: number[]): fc.Arbitrary<object> {
  const inLists = fc.record({ list: fc.oneof(fc.constantFrom(...lists), fc.constant(lists)) })
  return fc.letrec<{ criteria: object }>((tie) => ({
    criteria: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      { arbitrary: leaf(now), weight: 8 },
      { arbitrary: inLists, weight: 1 },
      fc.record({ not: tie('criteria') }),
      fc.record({ all: fc.array(tie('criteria'), { maxLength: 3 }) }),
      fc.record({ any: fc.array(tie('criteria'), { maxLength: 3 }) }),
    ),
  })).criteria
}

/** Criteria that events or lists answer, besides others or by any of several. */
export function eventful(now: Date, lists: number[]): fc.Arbitrary<object> {
  const named = fc.oneof(
    { arbitrary: event, weight: 3 },
    fc.record({ list: fc.constantFrom(...lists) }),
    fc.record({ tag: tags }),
    fc.record({ city: texts }),
  )
  return fc.oneof(
    event,
    fc.record({ all: fc.tuple(event, criteria(now, lists)) }),
    fc.record({ any: fc.array(named, { minLength: 1, maxLength: 3 }) }),
    fc.record({ any: fc.tuple(event, fc.record({ all: fc.tuple(named, named) })) }),
  )
}

export const world = (now: Date): fc.Arbitrary<World> =>
  fc.record({
    now: fc.constant(now),
    timeZone: fc.constantFrom(...ZONES),
    smart: fc.record({ 3: criteria(now, [1, 2]), 4: criteria(now, [2, 3]) }),
  })

/** The fields that these people have. */
export function defineFields(accountId: number): Sql {
  return sql`
    insert into fields (account_id, name, merge_tag, key, type, options) values
      (${accountId}, 'City', 'city', 'city', 'text', null), (${accountId}, 'Age', 'age', 'k_age', 'number', null),
      (${accountId}, 'Born', 'born', 'k_born', 'date', null), (${accountId}, 'Plan', 'plan', 'plan', 'select', '{Free,Pro}'),
      (${accountId}, 'VIP', 'vip', 'vip', 'boolean', null)`
}

const KEYS: Record<string, string> = { age: 'k_age', born: 'k_born' }

export function storedFields(fields: Person['fields']): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([tag, value]) => [KEYS[tag] ?? tag, value]))
}

/** An id made at that moment. */
export const idMadeAt = (at: Sql) =>
  sql`(left(replace(id_floor(${at})::text, '-', ''), 12) || substr(replace(gen_random_uuid()::text, '-', ''), 13))::uuid`

/** Puts people, and nobody else, into an account; their events stand under another account too, which has none of them. */
export async function enterPeople(db: Queryable, accountId: number, people: readonly Person[]): Promise<void> {
  for (const table of [sql`contacts`, sql`list_members`, sql`list_opt_outs`, sql`suppressions`, sql`happened_until`])
    await db.query(sql`delete from ${table} where account_id = ${accountId}`)
  await db.query(sql`delete from events where account_id in (${accountId}, ${accountId + 1})`)
  const rows = people.map((one) => ({ ...one, fields: storedFields(one.fields) }))
  await db.query(sql`
    with given as (
      select * from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as given (
        email text, external_id text, state text, suppressed text, fields jsonb, tags text[], lists bigint[], "left" bigint[],
        events jsonb, created_at timestamptz)
    ), entered as (
      insert into contacts (account_id, email, external_id, state, fields, tags, origin, created_at)
      select ${accountId}, email, external_id, state, fields, tags, 'test', created_at from given returning id, email
    ), members as (
      insert into list_members (account_id, list_id, contact_id)
      select ${accountId}, list_id, id from entered join given using (email), unnest(lists) as list_id
    ), leavers as (
      insert into list_opt_outs (account_id, list_id, email) select ${accountId}, list_id, email from given, unnest("left") as list_id
    ), suppressed as (
      insert into suppressions (account_id, kind, value, reason, source, expires_at)
      select ${accountId}, 'address', email, 'manual', 'test', nullif(suppressed, 'always')::timestamptz from given where suppressed is not null
    )
    insert into events (account_id, id, contact_id, type, types, name, at, data)
    select account, ${idMadeAt(sql`at`)}, entered.id, type, array[type], name, at,
      jsonb_build_object('params', params) || case when machine then '{"machine": true}'::jsonb else '{}' end
    from entered join given using (email),
      jsonb_to_recordset(given.events) as event (type text, name text, at timestamptz, params jsonb, machine boolean),
      unnest(array[${accountId}, ${accountId + 1}]::bigint[]) as account`)
}
