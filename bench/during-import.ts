import { openAsBlob, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import sql from 'sql-template-tag'
import type { Database } from '../server/db/database.ts'
import type { Lab } from './lab.ts'
import { writePeople } from './people-file.ts'
import { digits, type Figure, progress } from './report.ts'
import { quantile } from './statistics.ts'
import { makeLists, SMART_LISTS } from './transitions.ts'

const WRITE_S = 2
const END_S = 60
/** Between two writes: long enough for each to be told before the next. */
const EVERY_MS = 1000

/**
 * A file of as many people as there are contacts is imported into an account with a hundred smart lists, beside the contacts that it
 * has. Meanwhile others are changed through the API, one each second, and it is timed when the feed tells that they entered a list.
 * @param rows Of the file.
 */
export async function duringImport(lab: Lab, rows: number): Promise<Figure[]> {
  const [last] = await lab.db.query<{ id: string }>(sql`select new_id() as id`)
  const file = join(tmpdir(), `rollcall-bench-during-${process.pid}.csv`)
  try {
    await writePeople(file, rows)
    await makeLists(lab.db)
    const { address } = await lab.start('api')
    await lab.start('worker')
    progress('comparing all contacts with all lists')
    while (await waits(lab.db)) await sleep(200)
    const call = async (method: string, path: string, body?: object) => {
      const isForm = body instanceof FormData
      const response = await fetch(`${address}/api/${path}`, {
        method,
        headers: { 'api-token': lab.token, ...(isForm || !body ? {} : { 'content-type': 'application/json' }) },
        ...(body ? { body: isForm ? body : JSON.stringify(body) } : {}),
      })
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
      return response.json() as Promise<{ id: number; status: string; progress: object }>
    }
    const people = await lab.db.query<{ id: string }>(sql`
      select id from contacts where account_id = 1 and not tags && '{vip}' and coalesce(fields ->> 'company', '') not ilike 'an%'
      order by hashtextextended(id::text, 1) limit 2000`)
    const write = async (nth: number) => {
      const { id } = people[nth]!
      const startedMs = performance.now()
      await call('PATCH', `contacts/${id}`, { tags: ['vip'] })
      while (!(await isTold(lab.db, id))) await sleep(20)
      return performance.now() - startedMs
    }
    const body = new FormData()
    body.append('file', await openAsBlob(file), 'people.csv')
    const { id } = await call('POST', 'contact_imports', body)
    const startedMs = performance.now()
    const tookMs: number[] = []
    let said = 0
    for (let nth = 0; ; nth++) {
      const nextMs = performance.now() + EVERY_MS
      tookMs.push(await write(nth))
      const { status, progress: at } = await call('GET', `contact_imports/${id}`)
      if (status === 'finished') break
      if (status === 'failed') throw new Error('the import failed')
      if (performance.now() - said > 10_000) {
        progress(
          `${JSON.stringify(at)}, ${await waits(lab.db)} acts wait, last write told after ${digits(tookMs.at(-1)!)} ms`,
        )
        said = performance.now()
      }
      await sleep(Math.max(0, nextMs - performance.now()))
    }
    const endedMs = performance.now()
    while (await waits(lab.db)) await sleep(50)
    const toldS = (performance.now() - endedMs) / 1000
    const [entered] = await lab.db.query<{ count: number }>(
      sql`select count(*) as count from events where account_id = 1 and type = 'list_entered'`,
    )
    const worst = Math.max(...tookMs) / 1000
    const rowsSaid = rows.toLocaleString('en')
    const importS = (endedMs - startedMs) / 1000
    return [
      {
        what: `from an API write to its transition in the feed, ${tookMs.length} writes while ${rowsSaid} rows are imported in ${digits(importS)} s`,
        measured: `p50 ${digits(quantile(tookMs, 0.5))} ms, p95 ${digits(quantile(tookMs, 0.95))} ms, at most ${digits(worst)} s`,
        floor: '',
        ratio: '',
        target: `≤ ${WRITE_S} s`,
        met: worst <= WRITE_S,
      },
      {
        what: `from that import's end to the last of its transitions, at ${SMART_LISTS} smart lists, ${entered!.count.toLocaleString('en')} in all`,
        measured: `${digits(toldS)} s`,
        floor: '',
        ratio: '',
        target: `≤ ${END_S} s`,
        met: toldS <= END_S,
      },
    ]
  } finally {
    await lab.db.query(sql`delete from contacts where account_id = 1 and id > ${last!.id}::uuid`) // whose data are kept
    rmSync(file, { force: true })
  }
}

/** How many acts, and what else, stand in the outbox. */
async function waits(db: Database): Promise<number> {
  const [row] = await db.query<{ count: number }>(sql`select count(*) as count from outbox where account_id = 1`)
  return row!.count
}

async function isTold(db: Database, contactId: string): Promise<boolean> {
  const rows = await db.query(sql`
    select from events where account_id = 1 and contact_id = ${contactId} and id >= id_floor(now() - interval '1 hour')
      and type = 'list_entered' and data ->> 'cause' = 'act'`)
  return rows.length > 0
}
