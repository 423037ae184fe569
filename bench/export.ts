import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { to } from 'pg-copy-streams'
import sql from 'sql-template-tag'
import { contactFields, loadContacts } from './dataset.ts'
import { type Lab, openLab } from './lab.ts'
import { describeMachine } from './machine.ts'
import { digits, type Figure, progress } from './report.ts'
import { median } from './statistics.ts'

const RATIO = 1.3
const MEMORY_MIB = 200

export interface ExportOptions {
  contacts: number
  rounds: number
}

/** The same columns as the product's, as plainly as they can be asked for: the floor, piped to `gzip -1`. */
const FLOOR = `copy (
  select c.id, c.email, c.external_id, c.state, c.fields ->> 'first_name', c.fields ->> 'last_name', c.fields ->> 'company',
    c.fields ->> 'plan', c.fields ->> 'age', array_to_string(c.tags, ','), m.names, c.created_at, c.updated_at
  from contacts as c left join (
    select m.contact_id, string_agg(l.name, ',' order by l.id) as names
    from list_members as m join lists as l on l.account_id = m.account_id and l.id = m.list_id
    where m.account_id = 1 group by m.contact_id
  ) as m on m.contact_id = c.id
  where c.account_id = 1 order by c.id) to stdout (format csv, header)`

/** Exports of a large account in every format, by the worker, into files on disk. */
export async function benchExport({
  contacts,
  rounds,
}: ExportOptions): Promise<{ machine: string; figures: Figure[] }> {
  const lab = await openLab()
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-bench-export-'))
  try {
    await load(lab, contacts)
    const { address } = await lab.start('api')
    const worker = await lab.start('worker')
    const floors: number[] = []
    const taken: number[] = []
    let mostMiB = 0
    for (let round = 1; round <= rounds; round++) {
      floors.push(await floor(lab, join(folder, 'floor.csv.gz')))
      const { ms, mib } = await exported(lab, address, worker.pid, { format: 'csv.gz' })
      taken.push(ms)
      mostMiB = Math.max(mostMiB, mib)
      progress(`round ${round}: floor ${digits(floors.at(-1)!)} ms, csv.gz ${digits(ms)} ms, ${digits(mib)} MiB`)
    }
    const ratio = median(taken) / median(floors)
    const figures: Figure[] = [
      {
        what: `csv.gz of ${contacts.toLocaleString('en')} contacts with their lists and tags`,
        measured: `${digits(median(taken) / 1000)} s`,
        floor: `COPY to \`gzip -1\`: ${digits(median(floors) / 1000)} s`,
        ratio: `${digits(ratio)} ×`,
        target: `≤ ${RATIO} ×`,
        met: ratio <= RATIO,
      },
      {
        what: 'the worker’s memory at most',
        measured: `${digits(mostMiB)} MiB`,
        floor: '',
        ratio: '',
        target: `≤ ${MEMORY_MIB} MiB`,
        met: mostMiB <= MEMORY_MIB,
      },
    ]
    for (const body of [
      { format: 'csv' },
      { format: 'ndjson' },
      { format: 'xlsx' },
      { format: 'csv.gz', tag: 'vip' },
      { format: 'csv.gz', tag: 'newsletter' },
    ]) {
      const { ms, mib, written } = await exported(lab, address, worker.pid, body)
      const what = `${body.format} of ${written.toLocaleString('en')} contacts${'tag' in body ? ', by tag' : ''}`
      progress(`${what}: ${digits(ms)} ms, ${digits(mib)} MiB`)
      figures.push({
        what,
        measured: `${digits(ms / 1000)} s, ${digits(mib)} MiB`,
        floor: '',
        ratio: '',
        target: '',
        met: undefined,
      })
    }
    return { machine: await describeMachine(lab.db), figures }
  } finally {
    await lab.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function load({ db }: Lab, contacts: number): Promise<void> {
  await db.query(contactFields(1))
  await loadContacts(db, 1, contacts)
  progress('memberships, vacuum analyze')
  await db.query(sql`insert into lists (account_id, name) values (1, 'Customers'), (1, 'News, weekly'), (1, 'Friends')`)
  await db.query(sql`
    insert into list_members (account_id, list_id, contact_id)
    select 1, l.id, c.id from contacts as c cross join lists as l
    where c.account_id = 1 and l.account_id = 1 and hashtext(c.id::text || l.id) & 1 = 0`)
  await db.query({ text: 'vacuum analyze', values: [] })
}

/** Milliseconds from the query to the file, whole and on disk. */
async function floor({ db }: Lab, path: string): Promise<number> {
  const client = new pg.Client({ connectionString: db.url })
  await client.connect()
  const startedMs = performance.now()
  const gzip = spawn('sh', ['-c', 'exec gzip -1 > "$1"', 'sh', path], { stdio: ['pipe', 'inherit', 'inherit'] })
  const ended = new Promise((resolve) => gzip.once('close', resolve))
  await pipeline(client.query(to(FLOOR)), gzip.stdin as Writable)
  await ended
  const tookMs = performance.now() - startedMs
  await client.end()
  return tookMs
}

/** From the moment the worker takes it up until it is finished: what waits in the queue is the queue's. */
async function exported(lab: Lab, address: string, workerPid: number, body: object) {
  const headers = { 'api-token': lab.token, 'content-type': 'application/json' }
  const asked = await fetch(`${address}/api/contact_exports`, { method: 'POST', headers, body: JSON.stringify(body) })
  const { id } = (await asked.json()) as { id: number }
  let mib = 0
  for (;;) {
    const [row] = await lab.db.query<{ phase: string; error: string | null; written: number; ms: number }>(sql`
      select e.phase, e.error, e.written, (extract(epoch from e.finished_at - j.started_on) * 1000)::float8 as ms
      from exports as e join pgboss.job as j on j.name = 'exports.write' and (j.data ->> 'exportId')::bigint = e.id
      where e.account_id = 1 and e.id = ${id}`)
    mib = Math.max(mib, residentMiB(workerPid))
    if (row!.phase === 'finished') {
      await fetch(`${address}/api/contact_exports/${id}`, { method: 'DELETE', headers: { 'api-token': lab.token } })
      return { ms: row!.ms, mib, written: row!.written }
    }
    if (row!.phase === 'failed') throw new Error(`the export has failed: ${row!.error}`)
    await sleep(50)
  }
}

function residentMiB(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
}
