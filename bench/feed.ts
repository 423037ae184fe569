import sql from 'sql-template-tag'
import type { Database } from '../server/db/database.ts'
import { cpuSeconds } from './cpu.ts'
import { contactFields } from './dataset.ts'
import { type Lab, openLab } from './lab.ts'
import { busyShare, describeMachine } from './machine.ts'
import { digits, type Figure, progress } from './report.ts'
import { median } from './statistics.ts'

/** Events of one page: as many as the API gives. */
const PAGE = 1000

/** Events read in one round. */
const READ = 200_000

const TARGET = 50_000

/** Events of one statement when loading. */
const CHUNK = 100_000

export interface FeedOptions {
  rounds: number
  /** In the account's feed. */
  events: number
  profileDir?: string | undefined
}

/** Reads so many events from the feed's beginning on; answers how many they were. */
type Reader = (count: number) => Promise<number>

/** The feed of a large account read page after page over HTTP, and as a stream, against the bare query of the same pages. */
export async function benchFeed({
  rounds,
  events,
  profileDir,
}: FeedOptions): Promise<{ machine: string; figures: Figure[] }> {
  const lab = await openLab({ profileDir })
  try {
    await loadFeed(lab.db, events)
    const { address, pid } = await lab.start('api')
    const cpu = () => [cpuSeconds(pid), cpuSeconds(lab.pid, 'with children'), cpuSeconds(process.pid)]
    const sides: Record<string, Reader> = {
      floor: floorReader(lab.db),
      pages: pageReader(lab, address, ''),
      'two at once': atOnce(pageReader(lab, address, ''), 2),
      filtered: pageReader(lab, address, '&types=updated,custom'),
      stream: streamReader(lab, address),
    }
    const rates = await inTurns(sides, { rounds, count: Math.min(READ, events), cpu })
    const floor = rates.floor!
    const against = { floor: `${digits(floor)} a second` }
    const ratio = (rate: number) => `${Math.round((100 * rate) / floor)} %`
    const figure = (what: string, rate: number, target?: number): Figure => ({
      ...{ what, measured: `${digits(rate)} events a second`, ...against, ratio: ratio(rate) },
      ...{
        target: target === undefined ? '' : `≥ ${digits(target)}`,
        met: target === undefined ? undefined : rate >= target,
      },
    })
    return {
      machine: await describeMachine(lab.db),
      figures: [
        figure(`feed read, ${digits(PAGE)} events a page, one reader`, rates.pages!, TARGET),
        figure('two readers at once', rates['two at once']!, TARGET),
        figure('one reader with `types=`, of which half match', rates.filtered!),
        figure('one stream of server-sent events from the start', rates.stream!),
      ],
    }
  } finally {
    await lab.stop()
  }
}

/** Events as people make them: half of them new contacts with their fields, the others changes and what they did. */
async function loadFeed(db: Database, events: number): Promise<void> {
  await db.query(contactFields(1))
  for (let done = 0; done < events; done += CHUNK) {
    const last = Math.min(done + CHUNK, events)
    await db.query(sql`
      with made as (
        insert into events (account_id, contact_id, type, types, name, data)
        select 1, new_id(),
          (array['created', 'updated', 'created', 'custom'])[1 + n % 4],
          case n % 4 when 1 then '{updated}'::text[] when 3 then '{custom}' else '{created,subscribed}' end,
          case when n % 4 = 3 then 'UserLogin' end,
          case n % 4
            when 1 then jsonb_build_object('fields', jsonb_build_object('plan', jsonb_build_object('from', 'free', 'to', 'team')))
            when 3 then jsonb_build_object('params', jsonb_build_object('user_id', n, 'source', 'web'))
            else jsonb_build_object('origin', 'api', 'email', jsonb_build_object('to', 'person' || n || '@example.com'),
              'state', jsonb_build_object('to', 'subscribed'), 'fields', jsonb_build_object(
                'first_name', jsonb_build_object('to', 'Katherine'), 'last_name', jsonb_build_object('to', 'Johnson'),
                'company', jsonb_build_object('to', 'Rollcall Example'), 'age', jsonb_build_object('to', 41))) end
        from generate_series(${done + 1}::int, ${last}::int) as n
        returning id
      )
      insert into feed (account_id, position, event_id)
      select 1, ${done}::bigint + row_number() over (order by id), id from made`)
    progress(`loaded ${last.toLocaleString('en')} events`)
  }
  await db.query(sql`update feed_heads set position = ${events} where account_id = 1`)
  await db.query({ text: 'vacuum analyze', values: [] })
}

/** The same pages by the product's own driver, and nothing done with them. */
function floorReader(db: Database): Reader {
  return async (count) => {
    let read = 0
    while (read < count) {
      const rows = await db.query(sql`
        select f.position, f.event_id as id, e.type, e.types, e.name, e.at, e.data, e.contact_id, e.change_set_id
        from feed as f left join events as e on e.account_id = 1 and e.id = f.event_id
        where f.account_id = 1 and f.position > ${read} order by f.position limit ${PAGE}`)
      read += rows.length
    }
    return read
  }
}

/** What a client does: asks for a page, parses it, goes on from its cursor. */
function pageReader({ token }: Lab, address: string, filter: string): Reader {
  return async (count) => {
    let read = 0
    for (let after = 'start'; read < count; ) {
      const response = await fetch(`${address}/api/events?limit=${PAGE}${filter}&after=${after}`, {
        headers: { 'api-token': token },
      })
      if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
      const page = (await response.json()) as { data: unknown[]; next_cursor: string; has_more: boolean }
      read += page.data.length
      after = page.next_cursor
      if (!page.has_more) break
    }
    return read
  }
}

/** So many readers that each read their part. */
function atOnce(reader: Reader, readers: number): Reader {
  return async (count) => {
    const read = await Promise.all(Array.from({ length: readers }, () => reader(count / readers)))
    return read.reduce((sum, each) => sum + each)
  }
}

/** Counts what it is sent, without parsing it. */
function streamReader({ token }: Lab, address: string): Reader {
  return async (count) => {
    const leave = new AbortController()
    const response = await fetch(`${address}/api/events/stream?after=start`, {
      headers: { 'api-token': token },
      signal: leave.signal,
    })
    let [read, tail] = [0, '']
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      const messages = (tail + chunk).split('\n\n')
      tail = messages.pop()!
      read += messages.filter((message) => message.startsWith('id: ')).length
      if (read >= count) break
    }
    leave.abort()
    return read
  }
}

/** Events a second of each, medians of rounds in turns; the first round, which warms things up, is not counted. */
async function inTurns(
  sides: Record<string, Reader>,
  { rounds, count, cpu }: { rounds: number; count: number; cpu: () => number[] },
): Promise<Record<string, number>> {
  const rates: Record<string, number[]> = Object.fromEntries(Object.keys(sides).map((name) => [name, []]))
  for (let nth = 0; nth <= rounds; nth++) {
    for (const [name, read] of Object.entries(sides)) {
      const [busy, before] = [await busyShare(), cpu()]
      const startedMs = performance.now()
      const done = await read(count)
      const rate = done / ((performance.now() - startedMs) / 1000)
      if (nth > 0) rates[name]!.push(rate)
      const used = cpu().map((seconds, at) => digits(((seconds - before[at]!) * 1e6) / done))
      progress(
        `${name} ${nth || 'warming up'}: ${digits(rate)} a second; CPU µs an event: API ${used[0]}, PostgreSQL ${used[1]}, ` +
          `reader ${used[2]}; ${Math.round(busy * 100)} % busy before`,
      )
    }
  }
  return Object.fromEntries(Object.entries(rates).map(([name, list]) => [name, median(list)]))
}
