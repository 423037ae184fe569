import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import sql from 'sql-template-tag'
import { appliedMigrations, migrate, recreateSchema, withSchemaHeld } from '../db/migrate.ts'
import { readHead } from '../features/activity/feed.ts'
import { Refusal } from '../lib/refusal.ts'
import { dispatched, testApp } from '../test/app.ts'
import { archived, chunksOf, contentsOf, readInto, relationsOf, restored, temporaryStore } from '../test/archive.ts'
import { emptyDatabaseUrl, testDatabaseUrl } from '../test/database.ts'
import { EMAIL, withEverything } from '../test/everything.ts'
import { filesIn, sent } from '../test/imports.ts'
import { keyring, runJobs } from '../test/jobs.ts'
import { onClient } from '../test/own-server.ts'
import { allJobs } from '../worker.ts'
import { ArchiveReader, archiveOf, type Manifest, type PartSource } from './format.ts'
import { checkArchive } from './read.ts'
import { writeArchive } from './write.ts'

const LIMIT = { timeout: 280_000 }
const words = (text: string) => text.split(' ')

/** Among others: what is compared has something in it. */
const FILLED = words(
  'accounts api_tokens change_rows change_sets confirmations consents contacts deliveries events exports feed fields ' +
    'idempotency_keys imports list_members list_opt_outs lists messages outbox provider_hooks suppressions unchanged_rows webhooks',
)

/** Texts that a format might trip over; a NUL is none that PostgreSQL takes. */
const TEXTS = [
  '\\',
  '\\N',
  '\\.',
  '\n\\.\n',
  '\t',
  '\r\n',
  '\v\f\b',
  '\u0001\u007f',
  'null',
  '',
  ' ',
  '"{},',
  '\ud83d\ude00é',
]
const texts = () =>
  [...TEXTS, ...fc.sample(fc.string({ unit: 'binary' }), { numRuns: 200, seed: 14 })].map((text) =>
    text.replaceAll('\0', ''),
  )

test('everything comes back as it was: every row of every table, the next numbers, a new epoch', LIMIT, async (t) => {
  const made = await withEverything(t)
  const { db, accountId } = made
  await made.another('Second')
  await made.post('/api/contact_exports', { format: 'csv' })
  await made.post('/api/contacts', { email: 'late@example.com' })
  await made.post(`/api/contacts/late@example.com/unsubscribe`, { list_id: 1 })
  const odd = texts()
  await db.query(sql`
    insert into contacts (account_id, email, state, origin, fields, tags)
    select ${accountId}, 'odd' || n || '@example.com', 'none', 'test', jsonb_build_object('first_name', said, said, said), array[said, null, said]
    from unnest(${odd}::text[]) with ordinality as given (said, n)`)
  await db.query(sql`
    insert into change_rows (account_id, change_set_id, line, email, input)
    values (${accountId}, 1000000, 1, 'x', ${JSON.stringify({ long: '\\\n"é'.repeat(1_000_000) })}::jsonb)`)
  await db.query(sql`
    insert into unchanged_rows (account_id, change_set_id, line, email, action, contact_id)
    values (${accountId}, 1000000, 2, 'y', 'unchanged', new_id())`)
  await db.query(sql`
    insert into messages (account_id, contact_id, template, template_version, phase, content)
    values (${accountId}, new_id(), 'x', 0, 'failed', ${randomBytes(3_000_000)})`)
  await db.query(sql`
    insert into events (account_id, id, type, types, at) select ${accountId}, id_floor(moment), 'custom', '{custom}', moment
    from unnest(array['2001-02-03', clock_timestamp()]::timestamptz[]) as given (moment)`)
  await db.query(sql`insert into users (id, email, name, password) values (7, 'ann@example.com', 'Ann', 'x')`)
  await db.query(sql`insert into account_users (account_id, user_id, role) values (${accountId}, 7, 'admin')`)
  await db.query(sql`insert into sessions (user_id, hash, expires_at) values (7, ${randomBytes(32)}, now())`)
  await db.query(
    sql`insert into user_links (hash, purpose, user_id, actor) values (${randomBytes(32)}, 'reset', 7, 'test')`,
  )
  await db.query(sql`select setval('lists_id_seq', 5000000000)`)
  const head = await readHead(db, accountId)

  const archive = await archived(made)
  const copy = await restored(t, archive, made)

  const contents = await contentsOf(copy.url)
  assert.deepEqual(contents, await contentsOf(db.url))
  for (const table of FILLED) assert.ok(!contents[table]!.startsWith('0 '), `there is something in ${table}`)
  const numbers = sql`select sequencename, last_value from pg_sequences where schemaname = 'public' order by 1`
  assert.deepEqual(
    (await copy.query<{ sequencename: string }>(numbers)).filter(
      ({ sequencename }) => sequencename !== 'restored_jobs_id_seq',
    ),
    (await db.query<{ sequencename: string }>(numbers)).filter(
      ({ sequencename }) => sequencename !== 'restored_jobs_id_seq',
    ),
  )
  const { epoch, position, floor } = await readHead(copy, accountId)
  assert.deepEqual({ position, floor }, { position: head.position, floor: head.position })
  assert.notEqual(epoch, head.epoch)
  const found = await checkArchive(chunksOf(archive), 'it')
  assert.ok(found.rows > 250 && found.tables > 35)
})

test('a backup shows one moment, whatever is written while it is', LIMIT, async (t) => {
  const made = await testApp(t)
  const { db, accountId, post, patch } = made
  const enter = (n: number) => post('/api/contacts', { email: `p${n}@example.com`, fields: { first_name: `N${n}` } })
  for (let n = 0; n < 20; n++) await enter(n)
  let isOver = false
  let written = 20
  const writers = [0, 1].map(async (which) => {
    for (let n = 100 + which; !isOver; n += 2, written++) {
      await enter(n)
      await patch(`/api/contacts/p${n}@example.com`, { fields: { first_name: 'Changed' } })
    }
  })

  // Its first bytes are taken, which is after its moment, and the rest once much has been written.
  const chunks: Buffer[] = []
  await writeArchive({ directUrl: db.url, files: made.files, keyring, withFiles: false }, async (bytes: Readable) => {
    for await (const chunk of bytes) {
      chunks.push(chunk)
      const until = written + 10
      while (chunks.length < 10 && written < until) await sleep(5)
    }
  })
  isOver = true
  await Promise.all(writers)
  const copy = await restored(t, Buffer.concat(chunks), made)

  const [counts] = await copy.query<Record<string, number>>(sql`
    select (select count(*) from contacts) as contacts, (select count(*) from events where 'created' = any(types)) as created,
      (select count(*) from contacts where fields ->> 'first_name' = 'Changed') as changed,
      (select count(*) from events where 'updated' = any(types)) as updated,
      (select count(*) from events) as events, (select count(*) from outbox) + (select count(*) from feed) as told`)
  assert.ok(counts!.contacts! >= 20 && counts!.contacts! < written)
  assert.equal(counts!.created, counts!.contacts)
  assert.equal(counts!.updated, counts!.changed)
  assert.equal(counts!.told, counts!.events)
  await dispatched(copy)
  assert.equal((await readHead(copy, accountId)).position, counts!.events)
})

test(
  'a damaged archive leaves nothing behind, wherever it is damaged: no table, no row, no file, no key',
  LIMIT,
  async (t) => {
    const made = await withEverything(t)
    await sent(made, 'email\nada@example.com\n')
    const archive = await archived(made, { withFiles: true })
    const url = await emptyDatabaseUrl(t)
    const elsewhere = temporaryStore(t)
    const before = await relationsOf(url)
    let [kept, undone] = [0, 0]
    const keepKeys = () => {
      kept++
      return () => {
        undone++
      }
    }

    const places = fc.sample(fc.integer({ min: 0, max: archive.length - 1 }), { numRuns: 2, seed: Date.now() })
    for (const place of [...places, archive.length - 1]) {
      const changed = Buffer.from(archive)
      changed[place]! ^= 0x10
      for (const bytes of [changed, archive.subarray(0, place)])
        await assert.rejects(readInto(url, bytes, elsewhere, { keepKeys }), (error) => {
          assert.ok(error instanceof Refusal, `${place}: ${error}`)
          return true
        })
      assert.equal(await relationsOf(url), before, `byte ${place}`)
      assert.deepEqual(filesIn(elsewhere), [], `byte ${place}`)
      assert.equal(kept, undone)
    }

    await readInto(url, archive, elsewhere, { keepKeys })
    assert.deepEqual([kept, undone], [1, 0])
    assert.ok(filesIn(elsewhere).length > 0)
  },
)

/** The archive with what `change` makes of its beginning and its parts. */
async function forged(
  archive: Buffer,
  change: { manifest?: Partial<Manifest>; part?: (part: PartSource) => PartSource },
) {
  const reader = await ArchiveReader.open(chunksOf(archive), 'it')
  async function* parts() {
    for (let head = await reader.next(); head; head = await reader.next()) {
      const part = { head, data: reader.data(), rows: () => reader.rows }
      yield change.part?.(part) ?? part
      for await (const _rest of part.data); // what was put in its place has been written
    }
  }
  return buffer(archiveOf({ ...reader.manifest, ...change.manifest }, parts()))
}

test('an archive that is whole and yet none of ours is refused, and nothing is left of it', LIMIT, async (t) => {
  const made = await testApp(t)
  const archive = await archived(made)
  const url = await emptyDatabaseUrl(t)
  const before = await relationsOf(url)
  const { manifest } = await ArchiveReader.open(chunksOf(archive), 'it')
  const ofTable = (table: string, more: Partial<PartSource>) => (part: PartSource) =>
    'table' in part.head && part.head.table === table ? { ...part, ...more } : part
  const rows = (text: string) => Readable.from([Buffer.from(text)])
  const fakes: [string, Parameters<typeof forged>[1], RegExp][] = [
    [
      'of a newer release',
      { manifest: { migrations: [...manifest.migrations, { name: '9999_more.sql', checksum: 'x' }] } },
      /the archive was made by a newer Rollcall \(it has 9999_more\.sql, this one ends with .*\): restore it with the newer one/,
    ],
    [
      'with a migration that is another',
      { manifest: { migrations: manifest.migrations.map((each) => ({ ...each, checksum: 'x' })) } },
      /0001_accounts\.sql is not what was applied to the archive/,
    ],
    [
      'with another table',
      { part: ofTable('accounts', { head: { table: 'pg_class', columns: ['oid'] } }) },
      /pg_class/,
    ],
    [
      'with another column',
      { part: ofTable('accounts', { head: { table: 'accounts', columns: ['id) from program $$true$$ --'] } }) },
      /accounts with columns that its version does not have/,
    ],
    [
      'with a NUL',
      { part: ofTable('accounts', { data: rows('1\ta\0b\t{}\n') }) },
      /rows of accounts do not fit its table \(PostgreSQL says 22021\)/,
    ],
    [
      'with a row less',
      { part: ofTable('accounts', { rows: () => 7 }) },
      /is damaged: 1 rows were found where 7 were written/,
    ],
    [
      'with rows that fit no table',
      { part: ofTable('accounts', { data: rows('one\n') }) },
      /rows of accounts do not fit/,
    ],
  ]
  for (const [name, change, says] of fakes) {
    const fake = await forged(archive, change)
    await assert.rejects(readInto(url, fake, made), (error: Error) => {
      assert.match(error.message, says, name)
      return true
    })
    assert.equal(await relationsOf(url), before, name)
  }
})

test(
  'a database that has something in it is refused, and one with empty tables of the same version is not',
  LIMIT,
  async (t) => {
    const made = await testApp(t)
    const archive = await archived(made)
    const before = await contentsOf(made.db.url)

    await assert.rejects(readInto(made.db.url, archive, made), /the database is not empty \(there are accounts\)/)
    assert.deepEqual(await contentsOf(made.db.url), before)
    const prepared = await testDatabaseUrl(t)
    await readInto(prepared, archive, made)
    assert.equal((await contentsOf(prepared)).accounts, before.accounts)

    const older = await forged(archive, {
      manifest: { migrations: (await ArchiveReader.open(chunksOf(archive), 'it')).manifest.migrations.slice(0, -1) },
    })
    await assert.rejects(
      readInto(await testDatabaseUrl(t), older, made),
      /has tables of another version than the archive/,
    )
    const foreign = await emptyDatabaseUrl(t)
    await onClient(foreign, (client) => client.query('create table contacts (name text)'))
    const count = await relationsOf(foreign)
    await assert.rejects(
      readInto(foreign, archive, made),
      /migration 0003_contacts\.sql failed: relation "contacts" already exists/,
    )
    assert.equal(await relationsOf(foreign), count)
  },
)

test('tables that others keep beside ours are left out', LIMIT, async (t) => {
  const made = await testApp(t)
  await made.db.query(sql`create table notes_of_others (id bigint generated by default as identity, said text)`)
  await made.db.query(sql`insert into notes_of_others (said) values ('not ours')`)

  const archive = await archived(made)
  await restored(t, archive, made)

  const reader = await ArchiveReader.open(chunksOf(archive), 'it')
  const tables: string[] = []
  for (let part = await reader.next(); part; part = await reader.next()) {
    if ('table' in part) tables.push(part.table)
    await reader.skip()
  }
  assert.ok(tables.includes('accounts') && !tables.includes('notes_of_others'))
})

test('an archive of an older release is restored as it was, and brought up to date', LIMIT, async (t) => {
  const made = await testApp(t)
  const url = await emptyDatabaseUrl(t)
  const directory = mkdtempSync(join(tmpdir(), 'rollcall-migrations-'))
  t.after(() => rmSync(directory, { recursive: true }))
  cpSync(join(import.meta.dirname, '../migrations'), directory, { recursive: true })
  writeFileSync(
    join(directory, '9998_index.sql'),
    '-- no transaction\ncreate index concurrently more on accounts (name);\n',
  )
  writeFileSync(
    join(directory, '9999_names.sql'),
    `alter table accounts add column called text; update accounts set called = name`,
  )

  await readInto(url, await archived(made), made)
  await migrate(url, { directory })

  await onClient(url, async (client) => {
    const { rows } = await client.query('select id::int, called from accounts')
    assert.deepEqual(rows, [{ id: made.accountId, called: 'First' }])
    await client.query('drop schema public cascade; create schema public')
    const migrations = [...readdirSync(directory)]
      .filter((name) => name.endsWith('.sql'))
      .map((name) => ({ name, checksum: '' }))
    await client.query('begin')
    await recreateSchema(client, migrations, directory) // where indexes can't be built concurrently
    await client.query('commit')
    assert.equal((await appliedMigrations(client)).size, migrations.length)
  })
})

test('jobs that waited or ran are run, files are there, and erasures that came later stay', LIMIT, async (t) => {
  const made = await testApp(t)
  const { post, del, accountId, config } = made
  await post('/api/contacts', { email: EMAIL })
  const { id } = await sent(made, 'email,first_name\nada@example.com,Ada\n')
  await made.db.query(sql`update pgboss.job set state = 'active', started_on = now() where name = 'imports.run'`)
  const archive = await archived(made, { withFiles: true })
  const lean = await archived(made)
  assert.equal((await del(`/api/contacts/${EMAIL}/gdpr_delete`)).status, 200)
  const [journal] = filesIn(made).filter((name) => name.includes('erasures'))
  assert.ok(journal)

  const elsewhere = temporaryStore(t)
  await elsewhere.files.write(journal, await made.files.read(journal))
  const copy = await restored(t, archive, { ...elsewhere, config }, { prepared: true })
  const left = await copy.query<{ email: string }>(sql`select email from contacts where account_id = ${accountId}`)
  assert.deepEqual(left, [], 'whom the journal names is erased before anyone is served')
  assert.deepEqual(await copy.query(sql`select from restored_jobs`), [])
  await runJobs(copy, allJobs({ db: copy, ...elsewhere, queue: made.queue, keyring, config }))
  const [imported] = await copy.query(sql`select phase from change_sets where account_id = ${accountId} and id = ${id}`)
  assert.deepEqual(imported, { phase: 'finished' })
  assert.deepEqual(await copy.query(sql`select email from contacts`), [{ email: 'ada@example.com' }])

  const nowhere = temporaryStore(t)
  const without = await restored(t, lean, { ...nowhere, config }, { prepared: true })
  await runJobs(without, allJobs({ db: without, ...nowhere, queue: made.queue, keyring, config }))
  const [failed] = await without.query(sql`select phase, problem from change_sets join imports using (account_id, id)`)
  assert.deepEqual(failed, { phase: 'failed', problem: 'its file is no longer kept: upload it again' })
  const found = await checkArchive(chunksOf(lean), 'it')
  assert.deepEqual({ jobs: found.jobs, files: found.files }, { jobs: 1, files: 0 })
  // The journal is part of every archive.
  const later = await archived(made)
  assert.equal((await checkArchive(chunksOf(later), 'it')).files, 1)
})

test('whoever has something to migrate waits until a backup has ended, and nobody else does', LIMIT, async (t) => {
  const url = await testDatabaseUrl(t)
  const directory = mkdtempSync(join(tmpdir(), 'rollcall-migrations-'))
  t.after(() => rmSync(directory, { recursive: true }))
  await onClient(url, async (client) => {
    const { rows } = await client.query<{ name: string }>('delete from migrations returning name')
    assert.ok(rows.length > 0)
  })
  writeFileSync(join(directory, '0001_more.sql'), 'create table more (n int)')
  const told: string[] = []
  const log = { info: (message: string) => void told.push(message) }

  let waiting: Promise<void> | undefined
  await onClient(url, (client) =>
    withSchemaHeld(client, log, async () => {
      waiting = migrate(url, { directory, log })
      while (told.length === 0) await sleep(20)
      const { rows } = await client.query(`select to_regclass('more') is null as missing`)
      assert.equal(rows[0].missing, true)
    }),
  )
  await waiting

  assert.match(told[0]!, /waiting for a backup to end/)
  await onClient(
    url,
    (client) => withSchemaHeld(client, log, () => migrate(url, { directory, log })), // nothing to migrate: it does not wait
  )
})
