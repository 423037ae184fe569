import { createReadStream, createWriteStream, mkdtempSync, rmSync, statSync } from 'node:fs'
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
}

/** A backup of everything and its restoration, each against the same COPYs, from and to files as PostgreSQL writes them. */
export async function benchBackup({
  contacts,
  rounds,
}: BackupOptions): Promise<{ machine: string; figures: Figure[] }> {
  const lab = await openLab()
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-bench-backup-'))
  try {
    await load(lab, contacts)
    const took: Record<'copyOut' | 'backup' | 'check' | 'copyIn' | 'restore', number[]> = {
      copyOut: [],
      backup: [],
      check: [],
      copyIn: [],
      restore: [],
    }
    let mostMiB = 0
    const archive = join(folder, 'archive')
    const keyring = parseKeyring(newSecret())
    const files = diskStore(folder)
    const measured = async (what: keyof typeof took, work: () => Promise<unknown>) => {
      const startedMs = performance.now()
      const watch = setInterval(() => {
        if (what === 'backup' || what === 'restore') mostMiB = Math.max(mostMiB, process.memoryUsage.rss() / 2 ** 20)
      }, 50)
      await work().finally(() => clearInterval(watch))
      took[what].push(performance.now() - startedMs)
      progress(`${what}: ${digits(took[what].at(-1)!)} ms`)
    }
    for (let round = 1; round <= rounds; round++) {
      rmSync(archive, { force: true })
      await measured('copyOut', () => copyOut(lab.db.url, folder))
      await measured('backup', () =>
        writeArchive({ directUrl: lab.db.url, files, keyring, withFiles: false }, (bytes) =>
          pipeline(bytes, createWriteStream(archive, { flush: true })),
        ),
      )
      await measured('check', () => checkArchive(createReadStream(archive, { highWaterMark: 2 ** 20 }), archive))
      await withDatabase(lab, async (url) => {
        await migrate(url)
        await measured('copyIn', () => copyIn(url, folder))
      })
      await withDatabase(lab, (url) =>
        measured('restore', async () => {
          const reader = await openArchive(createReadStream(archive, { highWaterMark: 2 ** 20 }), archive)
          await readArchive(reader, { directUrl: url, files, keepKeys: () => () => {} })
        }),
      )
    }
    const of = `${contacts.toLocaleString('en')} contacts with ${(contacts * EVENTS_EACH).toLocaleString('en')} events`
    const figure = (what: string, side: keyof typeof took, floor: keyof typeof took, how: string): Figure => {
      const ratio = median(took[side]) / median(took[floor])
      return {
        what,
        measured: `${digits(median(took[side]) / 1000)} s`,
        floor: `${how}: ${digits(median(took[floor]) / 1000)} s`,
        ratio: `${digits(ratio)} ×`,
        target: `≤ ${RATIO} ×`,
        met: ratio <= RATIO,
      }
    }
    const plain = (what: string, value: string): Figure => ({
      ...{ what, measured: value, floor: '', ratio: '', target: '', met: undefined },
    })
    return {
      machine: await describeMachine(lab.db),
      figures: [
        figure(`backup of ${of}`, 'backup', 'copyOut', 'the same COPYs into files'),
        figure('its restoration, schema and ANALYZE included', 'restore', 'copyIn', 'the same COPYs from files'),
        plain('a check of the archive', `${digits(median(took.check) / 1000)} s`),
        plain('the archive', `${digits(statSync(archive).size / 2 ** 20)} MiB`),
        plain('memory at most, this program included', `${digits(mostMiB)} MiB`),
      ],
    }
  } finally {
    await lab.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function load({ db }: Lab, contacts: number): Promise<void> {
  await db.query(contactFields(1))
  await loadContacts(db, 1, contacts)
  for (let nth = 0; nth < EVENTS_EACH; nth++) {
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
  await db.query({ text: 'create database restored', values: [] })
  try {
    await work(db.url.replace('/rollcall?', '/restored?'))
  } finally {
    await db.query({ text: 'drop database restored with (force)', values: [] })
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
