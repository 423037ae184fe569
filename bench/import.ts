import { createReadStream, createWriteStream, existsSync, openAsBlob, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'
import sql from 'sql-template-tag'
import type { Database } from '../server/db/database.ts'
import { createAccount } from '../server/features/accounts/accounts.ts'
import { createToken } from '../server/features/accounts/tokens.ts'
import { sheetOf } from '../server/features/exports/sheet.ts'
import { contactFields, loadContacts } from './dataset.ts'
import { ask, call, importEnds, importFile, peakMb, plain, ratio } from './importing.ts'
import { type Lab, openLab, type Program } from './lab.ts'
import { describeMachine } from './machine.ts'
import { writePeople } from './people-file.ts'
import { digits, type Figure, progress } from './report.ts'
import { quantile } from './statistics.ts'

export interface ImportBenchOptions {
  contacts: number
  profileDir: string | undefined
  /** Accounts beside the one that imports, of 10,000 contacts each. */
  others: number
  /** Where data and files stay from one run to the next, so that parts can be measured one by one. */
  keepDir: string | undefined
  /** These parts alone; all unless given. */
  parts: readonly string[]
}

/** What runs the parts: the programs, a list to join, and somebody whose requests are timed. */
interface Bench {
  lab: Lab
  api: Program
  worker: Program
  listId: number
  neighbour: { token: string; email: string }
  contacts: number
  /** The beginning of the names of files. */
  files: string
}

const MEMORY_MB = 300
const P99_MS = 100

const PARTS: Record<string, (bench: Bench) => Promise<Figure[]>> = { enter, change, same, duplicates, json, xlsx }

/**
 * A large CSV: entered, changed in every row, and unchanged, of which each needs the one before it; each beside a floor that writes the same rows by COPY or by one
 * UPDATE on one connection, into the same tables and indexes. While each import runs, other requests are timed. Then files
 * of other kinds, by themselves.
 */
export async function benchImport(options: ImportBenchOptions): Promise<{ machine: string; figures: Figure[] }> {
  const { contacts, profileDir, others, keepDir, parts } = options
  const names = parts.length > 0 ? parts : Object.keys(PARTS)
  const lab = await openLab({ profileDir, keepDir })
  const files = join(keepDir ?? tmpdir(), `rollcall-bench-import-${keepDir === undefined ? process.pid : contacts}`)
  const figures: Figure[] = []
  try {
    const neighbour = await loadNeighbours(lab, others)
    const api = await lab.start('api')
    const worker = await lab.start('worker')
    const lists = await call(api, lab.token, 'GET', 'contact_lists')
    const listId = (lists[0] ?? (await call(api, lab.token, 'POST', 'contact_lists', { name: 'Everyone' }))).id
    for (const name of names) {
      const part = PARTS[name]
      if (!part) throw new Error(`no such part of import: there are ${Object.keys(PARTS).join(', ')}`)
      const found = await part({ lab, api, worker, listId, neighbour, contacts, files })
      for (const { what, measured, ratio } of found) progress(`${what}: ${measured} ${ratio}`)
      figures.push(...found)
    }
    return { machine: await describeMachine(lab.db), figures }
  } finally {
    if (keepDir === undefined)
      for (const name of ['-0.csv', '-1.csv', '-again.csv', '.xlsx']) rmSync(`${files}${name}`, { force: true })
    rmSync(`${files}-rows`, { force: true })
    await lab.stop()
  }
}

const rateOf = (rows: number) => (seconds: number) => `${digits(seconds)} s, ${digits(rows / seconds)} rows a second`

function enter(bench: Bench): Promise<Figure[]> {
  return imported(bench, `enter ${bench.contacts.toLocaleString('en')} rows`, 0, 1.3, (floor) => floor.copyAll())
}

function change(bench: Bench): Promise<Figure[]> {
  return imported(bench, 'the same people, every row changed', 1, 1.3, (floor) => floor.updateAll(), {
    does: 'begins outside of the database and keeps a row each',
    floorOf: (floor) => floor.changeAndKeep(),
  })
}

function same(bench: Bench): Promise<Figure[]> {
  return imported(bench, 'the same file again, none changed', 1, 2, (floor) => floor.compareAll(), {
    does: 'compares tags and the list too and keeps a row each',
    floorOf: (floor) => floor.compareAndKeep(),
  })
}

/**
 * Imports an edition of the file while another account is asked, and then has the floor do what is alike. `fuller`: besides the
 * floor of the design, by which the import is judged, there is one that leaves what an import has to leave, a row of the change
 * set for each of the file's. It is told for what it says of where the time goes, and nothing is judged by it.
 */
async function imported(
  { lab, api, worker, listId, neighbour, contacts, files }: Bench,
  what: string,
  edition: number,
  most: number,
  floorOf: (floor: Floor) => Promise<number>,
  fuller?: { does: string; floorOf: (floor: Floor) => Promise<number> },
): Promise<Figure[]> {
  const file = `${files}-${edition}.csv`
  if (!existsSync(file)) await writePeople(file, contacts, edition)
  const idle = ask(api, neighbour.token, neighbour.email)
  await sleep(10_000)
  const quietMs = quantile(await idle.stop(), 0.95)
  const asked = ask(api, neighbour.token, neighbour.email)
  const { seconds } = await importFile(api, lab.token, file, listId)
  const during = await asked.stop()
  const memory = peakMb(worker.pid)
  progress(`${what}: ${seconds.toFixed(1)} s`)
  const [p95, p99] = [quantile(during, 0.95), quantile(during, 0.99)]
  const floor = await openFloor(lab, files, listId)
  const floorSeconds = await floorOf(floor)
  const all = `${what} (${digits(statSync(file).size / 1e6)} MB)`
  const beside = (more: string, floorSeconds: number): Figure => ({
    ...plain(more, rateOf(contacts)(seconds)),
    floor: `${digits(floorSeconds)} s`,
    ratio: `${digits(seconds / floorSeconds)} ×`,
  })
  return [
    ratio(all, seconds, floorSeconds, most, rateOf(contacts)),
    ...(fuller ? [beside(`the same, beside a floor that ${fuller.does}`, await fuller.floorOf(floor))] : []),
    plain("the worker's peak memory by then", `${digits(memory)} MB`, `≤ ${MEMORY_MB} MB`, memory <= MEMORY_MB),
    plain("another account's request meanwhile, p99", `${digits(p99)} ms`, `≤ ${P99_MS} ms`, p99 <= P99_MS),
    plain(
      "another account's request meanwhile, p95",
      `${digits(p95)} ms against ${digits(quietMs)} ms idle`,
      '≤ 2 × idle',
      p95 <= 2 * quietMs,
    ),
  ]
}

/** A file of which all rows but one repeat an address. */
async function duplicates({ lab, api, listId, contacts, files }: Bench): Promise<Figure[]> {
  const path = `${files}-again.csv`
  const row = (n: number) => `again@duplicates.example,Ann,N${n}\n`
  function* lines() {
    yield 'email,first_name,last_name\nother@duplicates.example,Bo,B\n'
    for (let n = 1; n < contacts; n += 1000) {
      let text = ''
      for (let at = n; at < Math.min(n + 1000, contacts); at++) text += row(at)
      yield text
    }
  }
  await pipeline(Readable.from(lines()), createWriteStream(path))
  const { seconds } = await importFile(api, lab.token, path, listId)
  const what = `${contacts.toLocaleString('en')} rows of which all but one repeat an address`
  return [plain(what, rateOf(contacts)(seconds))]
}

const MOST_JSON = 50_000
const ANSWERED_S = 10

/** A body as official clients send it: how long until it is answered, when each contact has been looked at. */
async function json({ api, lab, contacts }: Bench): Promise<Figure[]> {
  const count = Math.min(contacts, MOST_JSON)
  const body = {
    contacts: Array.from({ length: count }, (_, n) => ({
      email: `json${n}@bodies.example`,
      fields: { first_name: 'Ann', last_name: `N${n}`, company: 'Example, Inc', plan: 'team', age: 18 + (n % 70) },
    })),
  }
  const seconds: number[] = []
  for (let round = 0; round < 3; round++) {
    const startedMs = performance.now()
    const { id } = await call(api, lab.token, 'POST', 'contacts/imports', body)
    seconds.push((performance.now() - startedMs) / 1000)
    await importEnds(api, lab.token, id, startedMs)
  }
  const slowest = Math.max(...seconds)
  const what = `a body of ${count.toLocaleString('en')} contacts in JSON is answered, the slowest of three`
  return [plain(what, `${digits(slowest)} s`, `≤ ${ANSWERED_S} s`, slowest <= ANSWERED_S)]
}

const SHEET_ROWS = 100_000
const SHEET_MB = 450
const SHEET_ROWS_A_SECOND = 15_000

/** A workbook of ten columns: how long it is read, by a worker that has done nothing else. */
async function xlsx({ api, lab, worker, files, contacts }: Bench): Promise<Figure[]> {
  const path = `${files}.xlsx`
  const rows = Math.min(contacts, SHEET_ROWS)
  const columns = ['email', 'first_name', 'last_name', 'company', 'plan', 'age', 'city', 'born', 'score', 'active']
  function* lines() {
    for (let n = 0; n < rows; n++) {
      const born = new Date(n * 86_400_000).toISOString().slice(0, 10)
      const cells = [
        `sheet${n}@rows.example`,
        'Ann',
        `N${n}`,
        `Company ${n}`,
        'team',
        n % 70,
        'Oslo',
        born,
        n / 4,
        n % 2 === 0,
      ]
      yield Buffer.from(`${JSON.stringify(cells)}\n`)
    }
  }
  const sheet = columns.map((name) => ({ name, kind: name === 'born' ? ('date' as const) : ('text' as const) }))
  await pipeline(sheetOf(Readable.from(lines()), sheet, false), createWriteStream(path))
  await worker.stop()
  const fresh = await lab.start('worker')
  const body = new FormData()
  body.append('file', await openAsBlob(path), 'people.xlsx')
  body.append('dry_run', 'true')
  const startedMs = performance.now()
  const { id } = await call(api, lab.token, 'POST', 'contact_imports', body)
  const { readAfter, seconds } = await importEnds(api, lab.token, id, startedMs)
  const memory = peakMb(fresh.pid)
  const pace = rows / readAfter
  return [
    plain(
      `XLSX of ${rows.toLocaleString('en')} rows and ten columns, from the first byte sent until all are read`,
      rateOf(rows)(readAfter),
      `≥ ${SHEET_ROWS_A_SECOND.toLocaleString('en')} rows a second`,
      pace >= SHEET_ROWS_A_SECOND,
    ),
    plain("its worker's peak memory", `${digits(memory)} MB`, `≤ ${SHEET_MB} MB`, memory <= SHEET_MB),
    plain('its trial, from then until it is said what would become of each row', rateOf(rows)(seconds - readAfter)),
  ]
}

async function loadNeighbours({ db }: Lab, others: number): Promise<{ token: string; email: string }> {
  let first = 0
  for (let nth = 1; nth <= Math.max(1, others); nth++) {
    const id = await accountNamed(db, `Neighbour ${nth}`)
    const [loaded] = await db.query(sql`select from contacts where account_id = ${id} limit 1`)
    if (!loaded) {
      await db.query(contactFields(id))
      await loadContacts(db, id, 10_000)
    }
    first ||= id
    if (nth % 20 === 0) progress(`loaded ${nth} other accounts`)
  }
  const [someone] = await db.query<{ email: string }>(
    sql`select email from contacts where account_id = ${first} limit 1`,
  )
  return { token: (await createToken(db, first, { name: 'bench', scopes: ['read'] })).token, email: someone!.email }
}

/** What the product has written, in the order in which a COPY by hand would write it. */
const TABLES = {
  change_rows: 'account_id, change_set_id, line, email, action, contact_id, before, after, problem',
  contacts:
    'account_id, id, email, external_id, state, state_reason, state_before, state_at, fields, tags, origin, created_at, updated_at',
  list_members: 'account_id, list_id, contact_id, since, change_set_id',
  events: 'account_id, id, contact_id, type, types, name, at, data, change_set_id',
  consents: 'account_id, id, contact_id, action, grade, source, actor, ip, data, at',
}

/** The one of that name, which an earlier run may have made. */
async function accountNamed(db: Database, name: string): Promise<number> {
  const [known] = await db.query<{ id: number }>(sql`select id from accounts where name = ${name}`)
  return known?.id ?? (await createAccount(db, { name })).id
}

type Floor = Awaited<ReturnType<typeof openFloor>>

/** The floors: the product's own rows, written for another account by one connection that has nothing else to do. */
async function openFloor({ db }: Lab, files: string, listId: number) {
  const accountId = await accountNamed(db, 'Floor')
  const connected = async <T>(work: (client: pg.Client) => Promise<T>): Promise<T> => {
    const client = new pg.Client({ connectionString: db.url })
    await client.connect()
    try {
      return await work(client)
    } finally {
      await client.end()
    }
  }
  const timed = async (work: () => Promise<unknown>) => {
    const startedMs = performance.now()
    await work()
    return (performance.now() - startedMs) / 1000
  }
  const nextSet = `(select coalesce(max(change_set_id), 0) + 1 from change_rows where account_id = ${accountId})`
  /** Puts account 1's people as the rows of a file into `floor_staging`, in an order that is nobody's; answers how long the COPY took. */
  const staged = async (client: pg.Client) => {
    await client.query('drop table if exists floor_staging')
    await client.query('create unlogged table floor_staging (like import_rows including all)')
    await pipeline(
      client.query(
        copyTo(`copy (
          select ${accountId}, 1, email, row_number() over (order by md5(email)), fields, tags from contacts where account_id = 1
        ) to stdout`),
      ),
      createWriteStream(`${files}-rows`),
    )
    return timed(async () => {
      await pipeline(
        createReadStream(`${files}-rows`),
        client.query(copyFrom('copy floor_staging (account_id, import_id, key, line, fields, tags) from stdin')),
      )
      await client.query('analyze floor_staging (account_id, import_id, key, line)')
    })
  }
  return {
    copyAll: () =>
      connected(async (client) => {
        const byTable: Record<string, number> = {}
        for (const [table, columns] of Object.entries(TABLES)) {
          const select = columns.replace('account_id', `${accountId}`)
          await pipeline(
            client.query(copyTo(`copy (select ${select} from ${table} where account_id = 1) to stdout`)),
            createWriteStream(`${files}-rows`),
          )
          byTable[table] = await timed(() =>
            pipeline(
              createReadStream(`${files}-rows`),
              client.query(copyFrom(`copy ${table} (${columns}) from stdin`)),
            ),
          )
          progress(`floor: ${table} ${byTable[table].toFixed(1)} s`)
        }
        return Object.values(byTable).reduce((sum, each) => sum + each, 0)
      }),
    updateAll: () =>
      connected(async (client) => {
        await client.query('drop table if exists floor_rows')
        await client.query(`create table floor_rows as select email, fields from contacts where account_id = 1`)
        await client.query('alter table floor_rows add primary key (email)')
        await client.query('analyze floor_rows')
        return timed(() =>
          client.query(`
            with changed as (
              update contacts as c set fields = c.fields || r.fields, updated_at = statement_timestamp() from floor_rows as r
              where c.account_id = ${accountId} and c.email = r.email returning c.id, r.fields
            ), told as (
              insert into events (account_id, contact_id, type, types, data)
              select ${accountId}, id, 'updated', '{updated}', jsonb_build_object('fields', jsonb_build_object(
                'company', jsonb_build_object('from', 'x', 'to', fields -> 'company'), 'age', jsonb_build_object('from', 'x', 'to', fields -> 'age')))
              from changed returning id
            ) insert into outbox (account_id, event_ids) select ${accountId}, array_agg(id) from told`),
        )
      }),
    compareAll: () =>
      connected(async (client) => {
        await client.query('drop table if exists floor_staging')
        await client.query('create unlogged table floor_staging (like import_rows including all)')
        await client.query(
          `insert into floor_staging (account_id, import_id, key, line, fields) select ${accountId}, 1, email, row_number() over (), fields from floor_rows`,
        )
        await pipeline(client.query(copyTo('copy floor_staging to stdout')), createWriteStream(`${files}-rows`))
        await client.query('truncate floor_staging')
        return timed(async () => {
          await pipeline(createReadStream(`${files}-rows`), client.query(copyFrom('copy floor_staging from stdin')))
          await client.query(`
            select count(*) from floor_staging as s join contacts as c on c.account_id = s.account_id and c.email = s.key
            where c.fields || s.fields <> c.fields`)
        })
      }),
    /**
     * What a file of changes needs: its rows by COPY into a table without a log, and one statement that changes each person, with
     * an event and a row by which the change can be taken back. Those whom `updateAll` has changed get the same values once more.
     */
    changeAndKeep: () =>
      connected(async (client) => {
        const copied = await staged(client)
        const changed = await timed(() =>
          client.query(`
            with changed as (
              update contacts as c set fields = c.fields || s.fields, updated_at = statement_timestamp() from floor_staging as s
              where c.account_id = ${accountId} and c.email = s.key and s.account_id = ${accountId}
              returning c.id, s.line, s.key, old.fields -> 'company' as old_company, old.fields -> 'age' as old_age,
                s.fields -> 'company' as company, s.fields -> 'age' as age
            ), kept as (
              insert into change_rows (account_id, change_set_id, line, email, action, contact_id, before, after)
              select ${accountId}, ${nextSet}, line, key, 'updated', id,
                concat('{"fields":{"company":', old_company, ',"age":', old_age, '}}')::jsonb,
                concat('{"fields":{"company":', company, ',"age":', age, '}}')::jsonb
              from changed
            ), told as (
              insert into events (account_id, contact_id, type, types, data)
              select ${accountId}, id, 'updated', '{updated}', concat('{"fields":{"company":{"from":', old_company, ',"to":', company,
                '},"age":{"from":', old_age, ',"to":', age, '}}}')::jsonb
              from changed returning id
            ) insert into outbox (account_id, event_ids) select ${accountId}, array_agg(id) from told`),
        )
        progress(`floor: rows staged ${copied.toFixed(1)} s, changed ${changed.toFixed(1)} s`)
        return copied + changed
      }),
    /**
     * What an unchanged file needs: its rows by COPY into a table without a log, and one statement that compares all that they
     * say with what is there, fields, tags and the list, and keeps what became of each.
     */
    compareAndKeep: () =>
      connected(async (client) => {
        const copied = await staged(client)
        const compared = await timed(() =>
          client.query(`
            insert into change_rows (account_id, change_set_id, line, email, action, contact_id)
            select ${accountId}, ${nextSet}, s.line, s.key,
              'unchanged', c.id
            from floor_staging as s join contacts as c on c.account_id = s.account_id and c.email = s.key
            where c.fields @> s.fields and c.tags @> s.tags and exists (
              select from list_members as m where m.account_id = s.account_id and m.list_id = ${listId} and m.contact_id = c.id)`),
        )
        progress(`floor: rows staged ${copied.toFixed(1)} s, compared ${compared.toFixed(1)} s`)
        return copied + compared
      }),
  }
}
