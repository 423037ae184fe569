import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { onClient, ownServer } from './own-server.ts'
import { type Program, rollcall, temporaryHome } from './program.ts'

const server = await ownServer()
const LIMIT = { timeout: 280_000 }

test(
  'an API and a worker that start at once on a new database share it, and one of them tells the token',
  LIMIT,
  async (t) => {
    const home = temporaryHome(t)
    const env = { DATABASE_URL: server.url }

    const api = rollcall(home, ['start', '--role', 'api'], env)
    const worker = rollcall(home, ['start', '--role', 'worker'], env)
    const url = await api.ready()
    while (!worker.out().startsWith('Rollcall works')) await sleep(20)

    const printed = [api, worker].flatMap(({ out }) => [...new Set(out().match(/rc_[\w-]+/g))])
    assert.equal(printed.length, 1)
    const headers = { 'api-token': printed[0]!, 'content-type': 'application/json' }
    const made = await fetch(`${url}/api/contacts`, { method: 'POST', headers, body: '{"email":"ada@example.com"}' })
    assert.equal(made.status, 201)
    const waiting = () => onClient(server.url, async (client) => (await client.query('select from outbox')).rowCount)
    while ((await waiting()) !== 0) await sleep(50) // the worker takes it up

    assert.match(api.err(), /files are kept in .*: the worker must share this directory/)
    assert.match(worker.err(), /files are kept in .*: the API must share this directory/)

    const commandOf = ({ child }: Program) => readFileSync(`/proc/${child.pid}/cmdline`, 'utf8')
    if (process.platform === 'linux') {
      assert.match(commandOf(worker), /--max-semi-space-size=8/)
      assert.doesNotMatch(commandOf(api), /--max-semi-space-size/)
    }
    for (const { child } of [api, worker]) child.kill('SIGTERM')
    for (const { ended } of [api, worker]) assert.equal((await ended).code, 0)
  },
)

test('a command on a given database asks for its migrations, which migrate then runs', LIMIT, async (t) => {
  await server.asRoot('create database unprepared owner rollcall')
  const [home, env] = [temporaryHome(t), { DATABASE_URL: server.urlOf('unprepared') }]

  const early = await rollcall(home, ['account', 'create', 'Early'], env).ended
  const migrated = await rollcall(home, ['migrate'], env).ended
  const again = await rollcall(home, ['migrate'], env).ended
  const made = await rollcall(home, ['account', 'create', 'Main', '--json'], env).ended

  assert.deepEqual(
    [early.code, early.err],
    [1, 'rollcall: the database is not up to date: run `rollcall migrate`, or start Rollcall, first\n'],
  )
  assert.deepEqual([migrated.code, again.code, made.code], [0, 0, 0], migrated.err + again.err + made.err)
  assert.deepEqual(JSON.parse(made.out), { id: 1, name: 'Main' })
})

test('a start on a database that does not answer says so in one line', LIMIT, async (t) => {
  const refused = await rollcall(temporaryHome(t), ['start'], { DATABASE_URL: 'postgres://me:sesame@127.0.0.1:1/x' })
    .ended

  assert.deepEqual([refused.code, refused.out], [1, ''])
  assert.equal(
    refused.err,
    'rollcall: no connection to the database of DATABASE_URL: connect ECONNREFUSED 127.0.0.1:1\n',
  )
})
