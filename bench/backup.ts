import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import pg from 'pg'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'
import sql from 'sql-template-tag'
import { checkArchive, openArchive, readArchive } from '../server/backup/read.ts'
import { quoted, type Table, tablesOf } from '../server/backup/tables.ts'
import { writeArchive } from '../server/backup/write.ts'
import { migrate } from '../server/db/migrate.ts'
import { diskStore } from '../server/files/disk.ts'
import type { FileStore } from '../server/files/store.ts'
import { newSecret, parseKeyring } from '../server/lib/secret.ts'
import { contactFields, loadContacts } from './dataset.ts'
import { type Lab, openLab } from './lab.ts'
import { describeMachine } from './machine.ts'
import { digits, type Figure, progress } from './report.ts'
import { median } from './statistics.ts'

const RATIO = 1.3
const EVENTS_EACH = 10

export interface BackupOptions {
  contacts: number
  rounds: number
  keepDir?: string | undefined
  parts: string[]
}

/** What is timed: each side beside its floor, in turns. */
const SIDES = ['copyOut', 'backup', 'check', 'copyIn', 'restore'] as const
type Side = (typeof SIDES)[number]

/** Milliseconds of each round. */
type Took = Record<Side, number[]> & { mostMiB: number }

/**
 * `load` alone makes the data that are kept, or goes on making them. `out` leaves the files there that the others read:
 * `copyIn` the floor, `restore` the product.
 */
const PARTS = ['load', 'out', 'copyIn', 'restore']

/**
 * A backup of everything and its restoration, each against the same COPYs, from and to files as PostgreSQL writes them. With
 * `keepDir` the times of earlier runs count too: a round takes longer than some machines can be had alone.
 */
export async function benchBackup({
  contacts,
  rounds,
  keepDir,
  parts,
}: BackupOptions): Promise<{ machine: string; figures: Figure[] }> {
  const unknown = parts.filter((part) => !PARTS.includes(part))
  if (unknown.length > 0) throw new Error(`backup has the parts ${PARTS.join(', ')}`)
  const wanted = parts.length > 0 ? parts : PARTS
  const lab = await openLab({ keepDir })
  const folder = keepDir === undefined ? mkdtempSync(join(tmpdir(), 'rollcall-bench-backup-')) : join(keepDir, 'copies')
  try {
    mkdirSync(folder, { recursive: true })
    await load(lab, contacts)
    const took = tookBefore(folder)
    const parties = { lab, folder, took, archive: join(folder, 'archive'), files: diskStore(folder) }
    for (let round = 1; round <= rounds; round++) {
      if (wanted.includes('out')) await writing(parties)
      if (wanted.includes('copyIn')) await copying(parties)
      if (wanted.includes('restore')) await restoring(parties)
    }
    const of = `${contacts.toLocaleString('en')} contacts with ${(contacts * EVENTS_EACH).toLocaleString('en')} events`
    return { machine: await describeMachine(lab.db), figures: figuresOf(took, of, parties.archive) }
  } finally {
    await lab.stop()
    if (keepDir === undefined) rmSync(folder, { recursive: true, force: true })
  }
}

interface Parties {
  lab: Lab
  folder: string
  took: Took
  archive: string
  files: FileStore
}

async function writing({ lab, folder, took, archive, files }: Parties): Promise<void> {
  rmSync(archive, { force: true })
  const parts = { directUrl: lab.db.url, files, keyring: parseKeyring(newSecret()), withFiles: false }
  await measured(folder, took, 'copyOut', () => copyOut(lab.db.url, folder))
  await measured(folder, took, 'backup', () =>
    writeArchive(parts, (bytes) => pipeline(bytes, createWriteStream(archive, { flush: true }))),
  )
  await measured(folder, took, 'check', () => checkArchive(bytesOf(archive), archive))
}

async function copying({ lab, folder, took }: Parties): Promise<void> {
  await withDatabase(lab, async (url) => {
    await migrate(url)
    await measured(folder, took, 'copyIn', () => copyIn(url, folder))
  })
}

async function restoring({ lab, folder, took, archive, files }: Parties): Promise<void> {
  await withDatabase(lab, (url) =>
    measured(folder, took, 'restore', async () => {
      const reader = await openArchive(bytesOf(archive), archive)
      await readArchive(reader, { directUrl: url, files, keepKeys: () => () => {} })
    }),
  )
}

const bytesOf = (archive: string) => createReadStream(archive, { highWaterMark: 2 ** 20 })

async function measured(folder: string, took: Took, side: Side, work: () => Promise<unknown>): Promise<void> {
  const startedMs = performance.now()
  const watch = setInterval(() => {
    if (side === 'backup' || side === 'restore')
      took.mostMiB = Math.max(took.mostMiB, process.memoryUsage.rss() / 2 ** 20)
  }, 50)
  await work().finally(() => clearInterval(watch))
  took[side].push(performance.now() - startedMs)
  progress(`${side}: ${digits(took[side].at(-1)!)} ms`)
  writeFileSync(join(folder, 'took.json'), JSON.stringify(took))
}

function tookBefore(folder: string): Took {
  const path = join(folder, 'took.json')
  const none = {
    ...(Object.fromEntries(SIDES.map((side) => [side, []])) as unknown as Record<Side, number[]>),
    mostMiB: 0,
  }
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : none
}

function figuresOf(took: Took, of: string, archive: string): Figure[] {
  const figure = (what: string, side: Side, floor: Side, how: string): Figure[] => {
    if (took[side].length === 0 || took[floor].length === 0) return []
    const ratio = median(took[side]) / median(took[floor])
    return [
      {
        what: `${what}, ${took[side].length} rounds`,
        measured: `${digits(median(took[side]) / 1000)} s`,
        floor: `${how}: ${digits(median(took[floor]) / 1000)} s`,
        ratio: `${digits(ratio)} ×`,
        target: `≤ ${RATIO} ×`,
        met: ratio <= RATIO,
      },
    ]
  }
  const plain = (what: string, value: string): Figure => ({
    ...{ what, measured: value, floor: '', ratio: '', target: '', met: undefined },
  })
  if (took.backup.length === 0) return []
  return [
    ...figure(`backup of ${of}`, 'backup', 'copyOut', 'the same COPYs into files'),
    ...figure('its restoration, schema and ANALYZE included', 'restore', 'copyIn', 'the same COPYs from files'),
    plain('a check of the archive', `${digits(median(took.check) / 1000)} s`),
    plain('the archive', `${digits(statSync(archive).size / 2 ** 20)} MiB`),
    plain('memory at most, this program included', `${digits(took.mostMiB)} MiB`),
  ]
}

/** Makes the audience and what happened to it, or what is missing of the one that is kept. */
async function load({ db }: Lab, contacts: number): Promise<void> {
  const had = await rowsIn(db)
  if (had.feed === contacts * EVENTS_EACH) return
  if (had.contacts === 0) await db.query(contactFields(1))
  await loadContacts(db, 1, contacts, had.contacts)
  for (let nth = had.events / contacts; nth < EVENTS_EACH; nth++) {
    await db.query(sql`
      insert into events (account_id, contact_id, type, types, name, data)
      select 1, id, 'custom', '{custom}', 'purchase', jsonb_build_object('params', jsonb_build_object('nth', ${nth}::int, 'plan', fields -> 'plan'))
      from contacts where account_id = 1`)
    progress(`${((nth + 1) * contacts).toLocaleString('en')} events`)
  }
  await db.query(sql`
    insert into feed (account_id, position, event_id) select 1, row_number() over (order by id), id from events where account_id = 1`)
  await db.query(sql`update feed_heads set position = ${contacts * EVENTS_EACH} where account_id = 1`)
  await db.query({ text: 'vacuum analyze', values: [] })
}

async function rowsIn(db: Lab['db']): Promise<Record<'contacts' | 'events' | 'feed', number>> {
  const [rows] = await db.query<Record<'contacts' | 'events' | 'feed', number>>(sql`
    select (select count(*) from contacts where account_id = 1) as contacts,
      (select count(*) from events where account_id = 1) as events,
      (select coalesce(max(position), 0) from feed where account_id = 1) as feed`)
  return rows!
}

const pathOf = (folder: string, { name }: Table) => join(folder, `${name}.copy`)

async function copyOut(url: string, folder: string): Promise<void> {
  await onClient(url, async (client) => {
    await client.query('begin transaction isolation level repeatable read read only')
    for (const table of await tablesOf(client)) {
      const rows = client.query(copyTo(`copy ${quoted([table.name])} (${quoted(table.columns)}) to stdout`))
      await pipeline(rows, createWriteStream(pathOf(folder, table), { flush: true }))
    }
    await client.query('commit')
  })
}

async function copyIn(url: string, folder: string): Promise<void> {
  await onClient(url, async (client) => {
    await client.query('begin')
    for (const table of await tablesOf(client)) {
      const into = client.query(copyFrom(`copy ${quoted([table.name])} (${quoted(table.columns)}) from stdin`))
      await pipeline(createReadStream(pathOf(folder, table)), into)
    }
    await client.query('commit')
  })
}

/** A database of its own on the same server, for as long as `work` takes. */
async function withDatabase({ db }: Lab, work: (url: string) => Promise<void>): Promise<void> {
  await db.query({ text: 'drop database if exists restored', values: [] }) // of a run that was broken off
  await db.query({ text: 'create database restored', values: [] })
  try {
    await work(db.url.replace('/rollcall?', '/restored?'))
  } finally {
    // Not by force: autovacuum may be at work in it, which goes of itself and which only a superuser may send away.
    await db.query({ text: 'drop database restored', values: [] })
  }
}

async function onClient(url: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}
