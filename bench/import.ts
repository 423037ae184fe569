import { createWriteStream, existsSync, openAsBlob, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import sql from 'sql-template-tag'
import type { Database } from '../server/db/database.ts'
import { createAccount } from '../server/features/accounts/accounts.ts'
import { createToken } from '../server/features/accounts/tokens.ts'
import { sheetOf } from '../server/features/exports/sheet.ts'
import { contactFields, loadContacts } from './dataset.ts'
import { type Floor, openFloor } from './import-floor.ts'
import { type Asked, ask, call, importEnds, importFile, peakMb, plain, ratio } from './importing.ts'
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

/** What runs the parts: the programs, a list to join, and those whose requests are timed. */
interface Bench {
  lab: Lab
  api: Program
  worker: Program
  listId: number
  /** Whose requests are timed: some of each other account. */
  neighbours: readonly Asked[]
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
    const neighbours = await loadNeighbours(lab, others)
    const api = await lab.start('api')
    const worker = await lab.start('worker')
    const lists = await call(api, lab.token, 'GET', 'contact_lists')
    const listId = (lists[0] ?? (await call(api, lab.token, 'POST', 'contact_lists', { name: 'Everyone' }))).id
    for (const name of names) {
      const part = PARTS[name]
      if (!part) throw new Error(`no such part of import: there are ${Object.keys(PARTS).join(', ')}`)
      const found = await part({ lab, api, worker, listId, neighbours, contacts, files })
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
  { lab, api, worker, listId, neighbours, contacts, files }: Bench,
  what: string,
  edition: number,
  most: number,
  floorOf: (floor: Floor) => Promise<number>,
  fuller?: { does: string; floorOf: (floor: Floor) => Promise<number> },
): Promise<Figure[]> {
  const file = `${files}-${edition}.csv`
  if (!existsSync(file)) await writePeople(file, contacts, edition)
  const idle = ask(api, neighbours)
  await sleep(10_000)
  const quietMs = quantile(await idle.stop(), 0.95)
  const asked = ask(api, neighbours)
  const { seconds } = await importFile(api, lab.token, file, listId)
  const during = await asked.stop()
  const memory = peakMb(worker.pid)
  progress(`${what}: ${seconds.toFixed(1)} s`)
  const [p95, p99] = [quantile(during, 0.95), quantile(during, 0.99)]
  const floor = await openFloor(lab, await accountNamed(lab.db, 'Floor'), files, listId)
  const floorSeconds = await floorOf(floor)
  const count = new Set(neighbours.map(({ token }) => token)).size
  const whose = count === 1 ? "another account's request" : `requests of ${count} other accounts`
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
    plain(`${whose} meanwhile, p99`, `${digits(p99)} ms`, `≤ ${P99_MS} ms`, p99 <= P99_MS),
    plain(
      `${whose} meanwhile, p95`,
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

/** So many people of each other account are asked for, one after the other. */
const ASKED_OF_EACH = 20

async function loadNeighbours({ db }: Lab, others: number): Promise<Asked[]> {
  const accounts: { token: string; emails: string[] }[] = []
  for (let nth = 1; nth <= Math.max(1, others); nth++) {
    const id = await accountNamed(db, `Neighbour ${nth}`)
    const [loaded] = await db.query(sql`select from contacts where account_id = ${id} limit 1`)
    if (!loaded) {
      await db.query(contactFields(id))
      await loadContacts(db, id, 10_000)
    }
    const people = await db.query<{ email: string }>(
      sql`select email from contacts where account_id = ${id} order by id limit ${ASKED_OF_EACH}`,
    )
    const { token } = await createToken(db, id, { name: 'bench', scopes: ['read'] })
    accounts.push({ token, emails: people.map(({ email }) => email) })
    if (nth % 20 === 0) progress(`loaded ${nth} other accounts`)
  }
  return Array.from({ length: ASKED_OF_EACH }, (_, at) =>
    accounts.map(({ token, emails }) => ({ token, email: emails[at]! })),
  ).flat()
}

/** The one of that name, which an earlier run may have made. */
async function accountNamed(db: Database, name: string): Promise<number> {
  const [known] = await db.query<{ id: number }>(sql`select id from accounts where name = ${name}`)
  return known?.id ?? (await createAccount(db, { name })).id
}
