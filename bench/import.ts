import { createReadStream, createWriteStream, openAsBlob, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'
import sql from 'sql-template-tag'
import { createAccount } from '../server/features/accounts/accounts.ts'
import { createToken } from '../server/features/accounts/tokens.ts'
import { contactFields, loadContacts } from './dataset.ts'
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
}

const MEMORY_MB = 300
const P99_MS = 100
const ASKED_EACH_MS = 20

/**
 * A large CSV: entered, changed in every row, and unchanged; each beside a floor that writes the same rows by COPY or by one
 * UPDATE on one connection, into the same tables and indexes. While each import runs, other requests are timed.
 */
export async function benchImport({
  contacts,
  profileDir,
  others,
}: ImportBenchOptions): Promise<{ machine: string; figures: Figure[] }> {
  const lab = await openLab({ profileDir })
  const files = join(tmpdir(), `rollcall-bench-import-${process.pid}`)
  try {
    progress(`writing two files of ${contacts.toLocaleString('en')} rows`)
    await writePeople(`${files}.csv`, contacts)
    await writePeople(`${files}-changed.csv`, contacts, 1)
    const neighbour = await loadNeighbours(lab, others)
    const api = await lab.start('api')
    const worker = await lab.start('worker')
    const list = await call(api, lab.token, 'POST', 'contact_lists', { name: 'Everyone' })
    const bytes = statSync(`${files}.csv`).size
    const run = async (file: string) => {
      const asked = ask(api, neighbour.token, neighbour.email)
      const result = await importFile(api, lab.token, file, list.id)
      return { ...result, latencies: await asked.stop() }
    }
    const idle = ask(api, neighbour.token, neighbour.email)
    await sleep(10_000)
    const quiet = await idle.stop()

    const entered = await run(`${files}.csv`)
    const floor = await openFloor(lab, files)
    const copied = await floor.copyAll()
    const changed = await run(`${files}-changed.csv`)
    const updated = await floor.updateAll()
    const unchanged = await run(`${files}-changed.csv`)
    const compared = await floor.compareAll()
    const memory = peakMb(worker.pid)
    const during = [entered, changed, unchanged].flatMap(({ latencies }) => latencies)
    const rate = (seconds: number) => `${digits(seconds)} s, ${digits(contacts / seconds)} rows a second`
    const figures: Figure[] = [
      ratio(
        `enter ${contacts.toLocaleString('en')} rows (${digits(bytes / 1e6)} MB)`,
        entered.seconds,
        copied.seconds,
        1.3,
        rate,
      ),
      ratio('the same people, every row changed', changed.seconds, updated, 1.3, rate),
      ratio('the same file again, none changed', unchanged.seconds, compared, 2, rate),
      plain("worker's peak memory", `${digits(memory)} MB`, `≤ ${MEMORY_MB} MB`, memory <= MEMORY_MB),
      plain(
        'another request while it runs, p99',
        `${digits(quantile(during, 0.99))} ms`,
        `≤ ${P99_MS} ms`,
        quantile(during, 0.99) <= P99_MS,
      ),
      plain(
        'another account while it runs, p95',
        `${digits(quantile(during, 0.95))} ms against ${digits(quantile(quiet, 0.95))} ms idle`,
        '≤ 2 × idle',
        quantile(during, 0.95) <= 2 * quantile(quiet, 0.95),
      ),
    ]
    progress(`floor by table: ${JSON.stringify(copied.byTable)}`)
    return { machine: await describeMachine(lab.db), figures }
  } finally {
    for (const name of ['.csv', '-changed.csv', '-rows']) rmSync(`${files}${name}`, { force: true })
    await lab.stop()
  }
}

function ratio(what: string, seconds: number, floor: number, most: number, shown: (seconds: number) => string): Figure {
  const value = seconds / floor
  return {
    what,
    measured: shown(seconds),
    floor: `${digits(floor)} s`,
    ratio: `${digits(value)} ×`,
    target: `≤ ${most} ×`,
    met: value <= most,
  }
}

function plain(what: string, measured: string, target: string, met: boolean): Figure {
  return { what, measured, floor: '', ratio: '', target, met }
}

async function loadNeighbours({ db }: Lab, others: number): Promise<{ token: string; email: string }> {
  let first = 0
  for (let nth = 1; nth <= Math.max(1, others); nth++) {
    const { id } = await createAccount(db, { name: `Neighbour ${nth}` })
    await db.query(contactFields(id))
    await loadContacts(db, id, 10_000)
    first ||= id
    if (nth % 20 === 0) progress(`loaded ${nth} other accounts`)
  }
  const [someone] = await db.query<{ email: string }>(
    sql`select email from contacts where account_id = ${first} limit 1`,
  )
  return { token: (await createToken(db, first, { name: 'bench', scopes: ['read'] })).token, email: someone!.email }
}

// biome-ignore lint/suspicious/noExplicitAny: a benchmark reads few keys of few answers
async function call(api: Program, token: string, method: string, path: string, body?: unknown): Promise<any> {
  const response = await fetch(`${api.address}/api/${path}`, {
    method,
    headers: {
      'api-token': token,
      ...(body === undefined || body instanceof FormData ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: body instanceof FormData ? body : JSON.stringify(body) }),
  })
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
  return response.json()
}

/** From the first byte sent to the import's end. */
async function importFile(
  api: Program,
  token: string,
  file: string,
  listId: number,
): Promise<{ seconds: number; id: number }> {
  const body = new FormData()
  body.append('file', await openAsBlob(file), 'people.csv')
  body.append('list_id', String(listId))
  body.append('update_existing', 'true')
  const startedMs = performance.now()
  const { id } = await call(api, token, 'POST', 'contact_imports', body)
  let said = ''
  for (;;) {
    const now = await call(api, token, 'GET', `contact_imports/${id}`)
    const seconds = (performance.now() - startedMs) / 1000
    const words = `${now.phase} ${now.progress.rows_read} read, ${now.progress.rows_merged} merged`
    if (words !== said) progress(`${seconds.toFixed(1)} s: ${words}`)
    said = words
    if (now.status === 'finished') return { seconds, id }
    if (now.status === 'failed') throw new Error(JSON.stringify(now))
    await sleep(now.phase === 'merging' ? 500 : 200)
  }
}

/** Reads one contact every 20 ms; what each answer took, in ms. */
function ask(api: Program, token: string, email: string): { stop: () => Promise<number[]> } {
  const latencies: number[] = []
  const open = new Set<Promise<unknown>>()
  const timer = setInterval(() => {
    const startedMs = performance.now()
    const asked = call(api, token, 'GET', `contacts/${email}`).then(() => latencies.push(performance.now() - startedMs))
    open.add(asked)
    void asked.finally(() => open.delete(asked))
  }, ASKED_EACH_MS)
  return {
    async stop() {
      clearInterval(timer)
      await Promise.all(open)
      return latencies
    },
  }
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

/** The floors: the product's own rows, written for another account by one connection that has nothing else to do. */
async function openFloor({ db }: Lab, files: string) {
  const { id: accountId } = await createAccount(db, { name: 'Floor' })
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
        return { seconds: Object.values(byTable).reduce((sum, each) => sum + each, 0), byTable }
      }),
    updateAll: () =>
      connected(async (client) => {
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
        await client.query('create table floor_staging (like import_rows including all)')
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
  }
}

/** The most memory that a process has held at once. */
function peakMb(pid: number): number {
  const kb = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kb ?? Number.NaN) / 1024
}
