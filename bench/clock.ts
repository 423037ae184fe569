import { setTimeout as sleep } from 'node:timers/promises'
import sql from 'sql-template-tag'
import { Database } from '../server/db/database.ts'
import { createAccount } from '../server/features/accounts/accounts.ts'
import { paceOf } from '../server/features/criteria/clock.ts'
import { parseCriteria } from '../server/features/criteria/parse.ts'
import { storedForm } from '../server/features/criteria/stored.ts'
import { loadFields } from '../server/features/fields/field-set.ts'
import { cpuSeconds } from './cpu.ts'
import { contactFields } from './dataset.ts'
import type { Lab } from './lab.ts'
import { digits, type Figure, progress } from './report.ts'
import { SMART_LISTS } from './transitions.ts'

/** What the target is meant for. */
const ACCOUNTS = 300
const MOST_SHARE = 0.1
const SECONDS = 120
/** How far apart an account's looks are. */
const LOOKED_EVERY_S = 50
const DAY_S = 86_400
/** The windows of hours that criteria have. */
const HOURS = [1, 2, 4, 6, 12, 24, 48, 72]

/** A hundred smart lists that all depend on the clock: windows of hours and of days, dates near and past, absence. */
function clockLists(): object[] {
  return Array.from({ length: SMART_LISTS }, (_, n) => {
    const within = `${HOURS[n % HOURS.length]}h`
    const days = `${1 + n}d`
    switch (n % 5) {
      case 0:
        return { event: 'email_opened', within, count: { gte: 1 + (n % 3) } }
      case 1:
        return {
          all: [
            { subscribed: true },
            { event: 'email_delivered', within },
            { not: { event: 'email_clicked', within } },
          ],
        }
      case 2:
        return { not: { event: 'email_opened', within: days } }
      case 3:
        return { field: 'created_at', op: 'within_last', value: 900 + n }
      default:
        return { all: [{ plan: 'free' }, { event: 'bought', within: days, count: { gte: 1 } }] }
    }
  })
}

/**
 * What it costs to look at the clock for accounts like the one that is loaded, as a share of one core: their worker and PostgreSQL
 * with nothing else to do. The looks are as many as those of 300 accounts, each over as long a time, and finds as much to tell: a look
 * that comes alone finds nothing warm, and a few of them cost less than how much an idle worker varies. Then a midnight and a daily
 * comparison of all, each as a share of the day.
 * @param accounts So many there are; each is looked at as often as its share of the 300.
 */
export async function clock(lab: Lab, accounts: number): Promise<Figure[]> {
  const { db } = lab
  const ids = [1]
  await makeClockLists(db, 1)
  for (let nth = 1; nth < accounts; nth++) ids.push(await copyAccount(db, nth))
  await db.query({ text: 'vacuum analyze', values: [] })
  const worker = await lab.start('worker')
  const cpu = () => cpuSeconds(worker.pid) + cpuSeconds(lab.pid, 'with children')
  const settle = async () => {
    do await sleep(1000)
    while ((await db.query(sql`select from outbox limit 1`)).length > 0)
  }
  await sleep(3000)
  await settle()
  // What the first comparison has written would else be vacuumed, and written out, within the time that is measured.
  await db.query({ text: 'vacuum analyze', values: [] })
  await lab.checkpoint()
  const past = await Past.remember(db.url, ids)
  const told = async () => {
    const [row] = await db.query<{ count: number }>(
      sql`select count(*) as count from events where type in ('list_entered', 'list_left') and account_id = any(${ids})`,
    )
    return row!.count
  }
  await lookAt(db, ids, past, LOOKED_EVERY_S)
  progress(`${SECONDS} s of looks at the clock, as many as of ${ACCOUNTS} accounts`)
  const before = { cpu: cpu() - past.cpu(), told: await told() }
  const looked = await lookAt(db, ids, past, SECONDS)
  await settle()
  const spent = cpu() - past.cpu() - before.cpu
  const transitions = (await told()) - before.told
  await past.forget()
  const idle = await idleShare(db, ids, cpu)
  const look = Math.max(0, spent - idle * SECONDS) / looked
  const midnight = await timedCpu(cpu, settle, () =>
    db.query(sql`update smart_looks set looked_at = looked_at - interval '1 day' where account_id = any(${ids})`),
  )
  const comparison = await timedCpu(cpu, settle, () =>
    db.query(sql`update smart_looks set compared_at = compared_at - interval '2 days' where account_id = any(${ids})`),
  )
  const daily = (midnight + comparison) / accounts / DAY_S
  const share = ACCOUNTS * (look / LOOKED_EVERY_S + daily) + idle
  const percent = (part: number) => `${digits(100 * part)} %`
  const plain = { floor: '', ratio: '', target: '', met: undefined }
  return [
    {
      what: `${ACCOUNTS} accounts × ${SMART_LISTS} clock-dependent smart lists, from ${looked} looks at ${accounts} accounts in ${SECONDS} s (${transitions} transitions)`,
      measured: `${percent(share)} of one core`,
      floor: '',
      ratio: '',
      target: `≤ ${percent(MOST_SHARE)}`,
      met: share <= MOST_SHARE,
    },
    { ...plain, what: 'of that, the worker and PostgreSQL with nothing to look at', measured: percent(idle) },
    { ...plain, what: 'a look within a day, of one account', measured: `${digits(1000 * look)} ms of CPU` },
    { ...plain, what: 'a midnight, of one account', measured: `${digits(midnight / accounts)} s of CPU` },
    { ...plain, what: 'the daily comparison, of one account', measured: `${digits(comparison / accounts)} s of CPU` },
  ]
}

/**
 * What was told of contacts before any of the looks. These come much sooner one after the other than they would, so the same events leave
 * their windows in many of them; each is to find them as if there had been none before. The connection that sees to it is not counted.
 */
class Past {
  readonly #db: Database
  readonly #pid: number
  readonly #ids: readonly number[]

  private constructor(db: Database, pid: number, ids: readonly number[]) {
    this.#db = db
    this.#pid = pid
    this.#ids = ids
  }

  static async remember(url: string, ids: readonly number[]): Promise<Past> {
    const db = new Database({ url, max: 1 })
    const past = new Past(db, await pidOf(db), ids)
    await db.query(
      sql`create temporary table told as select account_id, contact_id, list_ids, happened from smart_memberships`,
    )
    await db.query(sql`create unique index on told (account_id, contact_id)`)
    await db.query(sql`analyze told`)
    return past
  }

  /** Of whom something has left a window since a look would have been due before this one. */
  async bringBack(): Promise<void> {
    await this.#db.query(sql`
      insert into smart_memberships as m (account_id, contact_id, list_ids, happened)
      select account_id, contact_id, list_ids, happened from told where (account_id, contact_id) in (
        select e.account_id, e.contact_id from unnest(${this.#ids}::bigint[]) as one (id) cross join unnest(${HOURS}::int[]) as hours
          cross join lateral (select now() - make_interval(hours => hours) as edge) as leaving
          cross join lateral (
            select account_id, contact_id from events
            where (account_id + 0) = one.id and at between edge - make_interval(secs => ${LOOKED_EVERY_S}) and edge offset 0) as e)
      on conflict (account_id, contact_id) do update set list_ids = excluded.list_ids, happened = excluded.happened
        where (m.list_ids, m.happened) is distinct from (excluded.list_ids, excluded.happened)`)
  }

  cpu(): number {
    return cpuSeconds(this.#pid)
  }

  forget(): Promise<void> {
    return this.#db.close()
  }
}

/** Of the one connection that is open. */
async function pidOf(db: Database): Promise<number> {
  const [row] = await db.query<{ pid: number }>(sql`select pg_backend_pid() as pid`)
  return row!.pid
}

/** Has the dispatcher look at the accounts for so long, as often as 300 are looked at; answers how many looks that was. */
async function lookAt(db: Database, ids: number[], past: Past, seconds: number): Promise<number> {
  const rounds = Math.floor((seconds * ACCOUNTS) / (LOOKED_EVERY_S * ids.length))
  for (let round = 0; round < rounds; round++) {
    const until = sleep((seconds * 1000) / rounds)
    await past.bringBack()
    await db.query(sql`
      with aged as (
        update smart_looks set looked_at = now() - make_interval(secs => ${LOOKED_EVERY_S}) where account_id = any(${ids}) returning account_id
      ) insert into outbox (account_id, event_ids, size, kind) select account_id, '{}', 0, 'clock' from aged`)
    await until
  }
  return rounds * ids.length
}

/** What they cost when no list depends on the clock. */
async function idleShare(db: Database, ids: number[], cpu: () => number): Promise<number> {
  await db.query(sql`update lists set clock = null where account_id = any(${ids})`)
  await sleep(2000)
  const before = cpu()
  await sleep(20_000)
  const idle = (cpu() - before) / 20
  await db.query(sql`update lists set clock = 'minute' where account_id = any(${ids})`)
  return idle
}

/** CPU of what a change has the worker do; looks are asked for every 20 s. */
async function timedCpu(
  cpu: () => number,
  settle: () => Promise<void>,
  change: () => Promise<unknown>,
): Promise<number> {
  const before = cpu()
  await change()
  await sleep(21_000)
  await settle()
  return cpu() - before
}

async function makeClockLists(db: Database, accountId: number): Promise<void> {
  const fields = await loadFields(db, accountId)
  const vocabulary = { fieldNamed: (tag: string) => fields.tagged(tag), fieldNames: () => fields.mergeTags }
  for (const [n, criteria] of clockLists().entries()) {
    const pace = paceOf(parseCriteria(criteria, vocabulary))
    await db.query(sql`
      with list as (
        insert into lists (account_id, name, criteria, clock)
        values (${accountId}, ${`Clock ${n}`}, ${JSON.stringify(storedForm(criteria, vocabulary))}::jsonb, ${pace}) returning id, criteria_version
      ) insert into smart_counts (account_id, list_id, version, contacts) select ${accountId}, id, criteria_version, 0 from list`)
  }
  await db.query(sql`insert into smart_looks (account_id) values (${accountId})`)
  await db.query(
    sql`insert into outbox (account_id, event_ids, size, kind) values (${accountId}, '{}', 0, 'comparison')`,
  )
}

/** The contacts and events of account 1 once more, with the same lists; as they are, where an earlier run has kept them. */
async function copyAccount(db: Database, nth: number): Promise<number> {
  const name = `Copy ${nth}`
  const [kept] = await db.query<{ id: number }>(sql`select id from accounts where name = ${name}`)
  if (kept) {
    await db.query(sql`delete from events where account_id = ${kept.id} and type in ('list_entered', 'list_left')`)
    await db.query(sql`update feed_heads set position = 0 where account_id = ${kept.id}`)
    await makeClockLists(db, kept.id)
    return kept.id
  }
  const { id } = await createAccount(db, { name })
  await db.query(contactFields(id))
  await db.query(sql`
    insert into contacts (account_id, id, email, state, fields, tags, origin, created_at, updated_at)
    select ${id}::bigint, id, email, state, fields, tags, origin, created_at, updated_at from contacts where account_id = 1`)
  await db.query(sql`
    insert into events (account_id, id, contact_id, type, types, name, at, data)
    select ${id}::bigint, id, contact_id, type, types, name, at, data from events where account_id = 1`)
  await makeClockLists(db, id)
  progress(`copied account ${nth}`)
  return id
}
