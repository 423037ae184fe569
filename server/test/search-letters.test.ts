import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { migrate } from '../db/migrate.ts'
import { onClient, ownServer } from './own-server.ts'

const server = await ownServer()
const MIGRATIONS = join(import.meta.dirname, '../migrations')

/** What every search column should hold by the function of now; and which rows were left as they were. */
const STATE = `
  select email, xmin::text as version, search, search_key(
    E'\\n\\n' || email || E'\\n\\n' || coalesce((fields ->> 'first_name') || ' ', '')
    || coalesce((fields ->> 'last_name') || E'\\n\\n' || (fields ->> 'last_name'), '')) as expected
  from contacts order by email`

const enter = (email: string, first: string) => ({
  text: `insert into contacts (account_id, email, state, origin, fields) values (1, $1, 'none', 'test', jsonb_build_object('first_name', $2::text))`,
  values: [email, first],
})

test('a database of before gets the new letters, also for who is just being written, and no other row is touched', async (t) => {
  await server.asRoot('create database letters owner rollcall')
  const url = server.urlOf('letters')
  const before = mkdtempSync(join(tmpdir(), 'rollcall-letters-'))
  t.after(() => rmSync(before, { recursive: true }))
  for (const name of readdirSync(MIGRATIONS).filter((name) => name < '0004'))
    copyFileSync(join(MIGRATIONS, name), join(before, name))
  await migrate(url, { directory: before })
  const people = [
    ['plain@example.com', 'Ann'],
    ['accented@example.com', 'Zoë'],
    ['decomposed@example.com', 'Zoe\u0308'],
    ['signs@example.com', 'Ann (## / €)'],
    ['idn@xn--bcher-kva.example', 'Ann'],
    ['broken@xn--99999999.example', 'Ann'],
  ] as const
  await onClient(url, async (client) => {
    for (const [email, first] of people) await client.query(enter(email, first))
  })
  const versions = await onClient(url, async (client) => (await client.query(STATE)).rows)

  const writer = new pg.Client({ connectionString: url })
  await writer.connect()
  await writer.query('begin')
  await writer.query(enter('late@example.com', '(late)'))
  let isDone = false
  const migrated = migrate(url).then(() => {
    isDone = true
  })
  await sleep(300)
  assert.equal(isDone, false, 'it waits for who writes')
  await writer.query('commit')
  await writer.end()
  await migrated

  const after = await onClient(url, async (client) => (await client.query(STATE)).rows)
  assert.deepEqual(
    after.map((row) => [row.email, row.search]),
    after.map((row) => [row.email, row.expected]),
  )
  const untouched = versions.filter((row) =>
    after.some((now) => now.email === row.email && now.version === row.version),
  )
  assert.deepEqual(
    untouched.map((row) => row.email),
    ['accented@example.com', 'plain@example.com'],
  )
  assert.match(after.find((row) => row.email === 'idn@xn--bcher-kva.example').search, /idnQbücherJexample$/)
})
