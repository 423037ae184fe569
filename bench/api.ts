import sql from 'sql-template-tag'
import type { Database } from '../server/db/database.ts'
import { cpuSeconds } from './cpu.ts'
import { contactFields, loadContacts } from './dataset.ts'
import { type Lab, openLab, type Program } from './lab.ts'
import { load, type Request, type Round } from './load.ts'
import { busyShare, describeMachine } from './machine.ts'
import { digits, type Figure, progress } from './report.ts'
import { median } from './statistics.ts'
import { newContacts, requireSameRows } from './written.ts'

const CONNECTIONS = 32
const WARM_UP_S = 3
/** So many contacts are there before the first request. */
const CONTACTS = 100_000
/** Of which so many are read. */
const READ = 10_000

export interface ApiOptions {
  rounds: number
  seconds: number
  profileDir?: string | undefined
}

export interface Side {
  name: 'product' | 'floor'
  program: Program
  next: () => Request
}

/** One contact created, one contact read: the API against the least that could do the same, in turns. */
export async function benchApi(options: ApiOptions): Promise<{ machine: string; figures: Figure[] }> {
  const lab = await openLab(options)
  try {
    progress(`loading ${CONTACTS} contacts`)
    await lab.db.query(contactFields(1))
    await loadContacts(lab.db, 1, CONTACTS)
    await lab.db.query({ text: 'vacuum analyze', values: [] })
    await lab.start('worker')
    const [product, floor] = [await lab.start('api'), await lab.start('floor')]
    const figures = [
      ...(await compare('read one contact', await readers(lab, product, floor), lab, options)),
      ...(await compare('create one contact', creators(lab, product, floor), lab, options)),
    ]
    await requireSameRows(lab.db)
    return { machine: await describeMachine(lab.db), figures }
  } finally {
    await lab.stop()
  }
}

/** Both ask for the same contacts, in an order that no cache was made for. */
async function readers({ db, token }: Lab, product: Program, floor: Program): Promise<Side[]> {
  const rows = await db.query<{ id: string }>(sql`
    select id from contacts where account_id = 1 order by md5(id::text) limit ${READ}`)
  const ask = (path: string, headers: Record<string, string>) => {
    let sent = 0
    return (): Request => ({ method: 'GET', path: `${path}/${rows[sent++ % rows.length]!.id}`, headers })
  }
  return [
    { name: 'floor', program: floor, next: ask('/contacts', {}) },
    { name: 'product', program: product, next: ask('/api/contacts', { 'api-token': token }) },
  ]
}

/** Each sends addresses that nobody else sends. */
function creators({ token }: Lab, product: Program, floor: Program): Side[] {
  const json = { 'content-type': 'application/json' }
  const send = (path: string, headers: Record<string, string>, contacts: () => string) => {
    return (): Request => ({ method: 'POST', path, headers, body: contacts() })
  }
  return [
    { name: 'floor', program: floor, next: send('/contacts', json, newContacts('floor')) },
    {
      name: 'product',
      program: product,
      next: send('/api/contacts', { ...json, 'api-token': token }, newContacts('product')),
    },
  ]
}

/** Rounds in turns, so that whatever else the machine does meets both sides alike; the medians are what counts. */
export async function compare(
  what: string,
  sides: Side[],
  lab: Lab,
  { rounds, seconds }: ApiOptions,
): Promise<Figure[]> {
  const measured: Record<Side['name'], Round[]> = { floor: [], product: [] }
  for (const { name, program, next } of sides) {
    progress(`${what}, ${name}: warming up`)
    await load(program.address, { connections: CONNECTIONS, seconds: WARM_UP_S, next })
  }
  for (let nth = 1; nth <= rounds; nth++) {
    for (const side of sides)
      measured[side.name].push(await measure(`${what}, ${side.name} ${nth}`, side, lab, seconds))
  }
  return figuresFrom(what, measured)
}

/** One round; of a side that writes, it is checked that each answer stands for one contact written. */
async function measure(title: string, { program, next }: Side, { db, pid }: Lab, seconds: number): Promise<Round> {
  const busy = await busyShare()
  const before = { contacts: await contactsIn(db), cpu: cpuUsed(program, pid) }
  const round = await load(program.address, { connections: CONNECTIONS, seconds, next })
  const cpu = cpuUsed(program, pid).map((used, at) => ((used - before.cpu[at]!) * 1e6) / round.answered)
  const written = (await contactsIn(db)) - before.contacts
  // Requests under way at the end are cut off: some of them were carried out and not counted.
  if (written !== 0 && (written < round.answered || written > round.answered + CONNECTIONS)) {
    throw new Error(`${title}: ${round.answered} answers, but ${written} contacts written`)
  }
  progress(
    `${title}: ${digits(round.perSecond)} a second, p50 ${digits(round.p50Ms)} ms, p99 ${digits(round.p99Ms)} ms; ` +
      `CPU µs a request: program ${digits(cpu[0]!)}, PostgreSQL ${digits(cpu[1]!)}, load ${digits(cpu[2]!)}; ` +
      `${Math.round(busy * 100)} % busy before`,
  )
  return round
}

async function contactsIn(db: Database): Promise<number> {
  const [counted] = await db.query<{ count: number }>(sql`select count(*) as count from contacts`)
  return counted!.count
}

function cpuUsed(program: Program, postmaster: number): number[] {
  return [cpuSeconds(program.pid), cpuSeconds(postmaster, 'with children'), cpuSeconds(process.pid)]
}

function figuresFrom(what: string, measured: Record<Side['name'], Round[]>): Figure[] {
  const middle = (side: Side['name'], value: (round: Round) => number) => median(measured[side].map(value))
  const figure = (name: string, unit: string, value: (round: Round) => number) => {
    const [ours, floors] = [middle('product', value), middle('floor', value)]
    const told = { measured: `${digits(ours)}${unit}`, floor: `${digits(floors)}${unit}`, ratio: ours / floors }
    return { what: `${what}, ${name}`, ...told }
  }
  const rate = figure('32 connections', ' a second', (round) => round.perSecond)
  const p50 = figure('p50', ' ms', (round) => round.p50Ms)
  const p99 = figure('p99', ' ms', (round) => round.p99Ms)
  return [
    { ...rate, ratio: `${Math.round(rate.ratio * 100)} %`, target: '≥ 60 %', met: rate.ratio >= 0.6 },
    { ...p50, ratio: `${digits(p50.ratio)} ×`, target: '', met: undefined },
    { ...p99, ratio: `${digits(p99.ratio)} ×`, target: '≤ 3 ×', met: p99.ratio <= 3 },
  ]
}
