import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type pg from 'pg'
import { socketUrl } from '../db/embedded.ts'
import type { Owner } from '../db/owner.ts'
import { onClient } from './own-server.ts'
import { homeTemplate, isAlive, readOwnerFile, rollcall, temporaryHome } from './program.ts'
import { until } from './until.ts'

const LIMIT = { timeout: 280_000 }

const template = await homeTemplate()
const withToken = () => ({ headers: { authorization: `Bearer ${template.token}`, 'content-type': 'application/json' } })

/** Until someone waits to be entered: this connection keeps all from writing contacts. */
const waitsForLock = (client: pg.Client) =>
  until(async () => {
    await client.query('select pg_stat_clear_snapshot()') // else a transaction sees what it saw first
    const { rowCount } = await client.query(
      `select from pg_stat_activity where wait_event_type = 'Lock' and query like '%insert into contacts%'`,
    )
    return rowCount
  })

/** Whether no new connection is taken. */
const isRefused = (url: string) =>
  fetch(`${url}/healthz`, { headers: { connection: 'close' } }).then(
    () => false,
    () => true,
  )

function create(url: string, email: string): Promise<Response> {
  return fetch(`${url}/api/contacts`, { method: 'POST', ...withToken(), body: JSON.stringify({ email }) })
}

async function emails(url: string): Promise<string[]> {
  const response = await fetch(`${url}/api/contacts`, withToken())
  const { data } = (await response.json()) as { data: { email: string }[] }
  return data.map(({ email }) => email).sort()
}

test(
  'the first start prints a token and three requests that work as they are; the second one reuses it all',
  LIMIT,
  async (t) => {
    const home = temporaryHome(t)
    const first = rollcall(home, ['start'])
    const url = await first.ready()

    const requests = first
      .out()
      .split('\n')
      .filter((line) => line.startsWith('  curl '))
    const answers = requests.map((line) => JSON.parse(execFileSync('sh', ['-c', line], { encoding: 'utf8' })))
    assert.equal(answers.length, 3)
    assert.equal(answers[0].data.email, 'ada@example.com')
    for (const { data } of answers.slice(1))
      assert.deepEqual(
        data.map(({ email }: { email: string }) => email),
        ['ada@example.com'],
      )
    assert.equal((await fetch(`${url}/readyz`)).status, 200)

    const printed = /^ {2}(rc_\S+)$/m.exec(first.out())![1]!
    first.child.kill('SIGTERM')
    const end = await first.ended
    assert.equal(end.code, 0, end.err)
    assert.ok(
      !end.err.includes(printed) && !end.err.includes('ada@example.com'),
      'the log tells neither token nor address',
    )

    const second = rollcall(home, ['start'])
    const again = await second.ready()
    assert.ok(!second.out().includes('rc_'))
    const response = await fetch(`${again}/api/contacts?q=ada`, { headers: { 'api-token': printed } })
    assert.equal(((await response.json()) as { data: unknown[] }).data.length, 1)
  },
)

test('beside a running start, commands use its server and a second start names it', LIMIT, async (t) => {
  const home = template.copy(t)
  const running = rollcall(home, ['start'])
  const url = await running.ready()

  const made = await rollcall(home, ['token', 'create', '--name', 'second', '--json']).ended
  const { token: second } = JSON.parse(made.out)
  assert.equal((await fetch(`${url}/api/contacts`, { headers: { 'api-token': second } })).status, 200)

  const refused = await rollcall(home, ['start']).ended
  assert.equal(refused.code, 1)
  assert.match(refused.err, new RegExp(`^rollcall: Rollcall already runs in .*: process ${running.child.pid} .*\\n$`))
  assert.equal((await fetch(`${url}/readyz`)).status, 200)
})

test(
  'SIGTERM lets the request that runs end, takes no other, stops PostgreSQL and ends with 0 in time',
  LIMIT,
  async (t) => {
    const home = template.copy(t)
    const service = rollcall(home, ['start'], { SHUTDOWN_TIMEOUT_S: '120' })
    const url = await service.ready()
    const { socketDir, postmasterPid } = readOwnerFile(home)!

    const { answer, tookMs } = await onClient(socketUrl(socketDir!), async (client) => {
      await client.query('begin; lock table contacts in share mode')
      const answer = create(url, 'late@example.com')
      await waitsForLock(client)
      service.child.kill('SIGTERM')
      const startedMs = performance.now()
      await until(() => isRefused(url))
      await client.query('commit')
      await client.end()
      assert.equal((await service.ended).code, 0, service.err())
      return { answer: await answer, tookMs: performance.now() - startedMs }
    })

    assert.equal(answer.status, 201)
    assert.ok(tookMs < 60_000, `${tookMs} ms`) // well before requests would be cut off
    assert.ok(!isAlive(postmasterPid!))
    assert.ok(!existsSync(socketDir!))
  },
)

test('a request that does not end is cut off, and the stop still is clean and in time', LIMIT, async (t) => {
  const home = template.copy(t)
  const service = rollcall(home, ['start'], { SHUTDOWN_TIMEOUT_S: '2' })
  const url = await service.ready()
  const { socketDir, postmasterPid } = readOwnerFile(home)!

  await onClient(socketUrl(socketDir!), async (client) => {
    client.on('error', () => {}) // it is ended with the server
    await client.query('begin; lock table contacts in share mode')
    const answer = create(url, 'never@example.com')
    answer.catch(() => {})
    await waitsForLock(client)
    service.child.kill('SIGINT')
    const startedMs = performance.now()

    assert.equal((await service.ended).code, 0, service.err())
    assert.ok(performance.now() - startedMs < 30_000)
    // Which of the two ends first, its connection or the server's, is chance.
    const told = await answer.then(
      ({ status }) => status,
      () => 'nothing',
    )
    assert.ok(told === 'nothing' || told === 500 || told === 503, String(told))
  }).catch((error: Error) => assert.match(error.message, /terminat/))
  // On a busy machine the limit is reached, and the service goes at once: PostgreSQL has been told to, and takes a moment longer.
  await until(() => !isAlive(postmasterPid!))
})

test('after kill -9 a start stops the PostgreSQL that was left, and finds everything', LIMIT, async (t) => {
  const home = template.copy(t)
  const killed = rollcall(home, ['start'])
  assert.equal((await create(await killed.ready(), 'kept@example.com')).status, 201)
  const orphan = readOwnerFile(home)!.postmasterPid!
  killed.child.kill('SIGKILL')
  await killed.ended
  assert.ok(isAlive(orphan))

  const next = rollcall(home, ['start'])
  const url = await next.ready()

  assert.ok(!isAlive(orphan))
  assert.deepEqual(await emails(url), ['kept@example.com'])
})

test('after kill -9 a command takes over likewise, and leaves nothing running', LIMIT, async (t) => {
  const home = template.copy(t)
  const killed = rollcall(home, ['start'])
  await killed.ready()
  const orphan = readOwnerFile(home)!.postmasterPid!
  killed.child.kill('SIGKILL')
  await killed.ended

  const [listed, alike] = await Promise.all([
    rollcall(home, ['token', 'list']).ended,
    rollcall(home, ['token', 'list']).ended,
  ])

  assert.equal(listed.code, 0, listed.err)
  assert.match(listed.out, /command line/)
  assert.equal(alike.out, listed.out)
  assert.ok(!isAlive(orphan))
  assert.ok(!isAlive(readOwnerFile(home)!.postmasterPid!))
})

test('when PostgreSQL and its owner were both killed, the next start recovers', LIMIT, async (t) => {
  const home = template.copy(t)
  const killed = rollcall(home, ['start'])
  assert.equal((await create(await killed.ready(), 'kept@example.com')).status, 201)
  const { postmasterPid } = readOwnerFile(home)!
  killed.child.kill('SIGKILL')
  process.kill(postmasterPid!, 'SIGKILL')
  await killed.ended

  const url = await rollcall(home, ['start']).ready()

  assert.deepEqual(await emails(url), ['kept@example.com'])
})

test('when PostgreSQL alone is killed, the service ends and says so', LIMIT, async (t) => {
  const home = template.copy(t)
  const service = rollcall(home, ['start'])
  await service.ready()

  process.kill(readOwnerFile(home)!.postmasterPid!, 'SIGKILL')

  const end = await service.ended
  assert.equal(end.code, 1)
  assert.match(end.err, /PostgreSQL has ended/)
})

test('files that name a pid which is by now of another process keep nobody from starting', LIMIT, async (t) => {
  const home = template.copy(t)
  const stale: Owner = {
    ...readOwnerFile(home)!,
    pid: process.pid,
    startedAs: 'before',
    command: 'start',
    state: 'running',
  }
  writeFileSync(join(home, 'owner.9.json'), JSON.stringify(stale))
  writeFileSync(
    join(home, 'pg18/postmaster.pid'),
    `${process.pid}\n${join(home, 'pg18')}\n0\n5432\n/tmp\n\n0 0\nready\n`,
  )

  await rollcall(home, ['start']).ready()

  assert.ok(isAlive(process.pid))
})

test('of two first starts at the same moment one works and the other is told which', LIMIT, async (t) => {
  const home = temporaryHome(t)
  const both = [rollcall(home, ['start']), rollcall(home, ['start'])]

  const loser = await Promise.race(both.map(({ ended }) => ended))

  assert.equal(loser.code, 1)
  const winner = both.find(({ child }) => child.exitCode === null)!
  assert.match(loser.err, new RegExp(`process ${winner.child.pid} `))
  await winner.ready()
})

test('a token from ROLLCALL_API_TOKEN works, and is not printed', LIMIT, async (t) => {
  const given = 'a-token-that-automation-has-chosen-by-itself'
  const service = rollcall(template.copy(t), ['start'], { ROLLCALL_API_TOKEN: given })
  const url = await service.ready()

  assert.equal((await fetch(`${url}/api/contacts`, { headers: { 'api-token': given } })).status, 200)
  assert.ok(!service.out().includes(given) && !service.out().includes('rc_'))
})

test('commands without a server start one for their own time and say plainly what went wrong', LIMIT, async (t) => {
  const home = template.copy(t)

  const account = await rollcall(home, ['account', 'create', 'Second shop', '--json']).ended
  const made = await rollcall(home, ['token', 'create', '--account', '2', '--scope', 'read', '--expires', '30d']).ended
  const listed = await rollcall(home, ['token', 'list', '--account', '2', '--json']).ended
  const [known] = JSON.parse(listed.out)
  const revoked = await rollcall(home, ['token', 'revoke', String(known.id), '--account', '2']).ended
  const again = await rollcall(home, ['token', 'revoke', String(known.id), '--account', '2']).ended
  const nowhere = await rollcall(home, ['token', 'create', '--account', '9']).ended

  assert.deepEqual(JSON.parse(account.out), { id: 2, name: 'Second shop' })
  assert.equal(known.hint, made.out.trim().slice(-4))
  assert.deepEqual(known.scopes, ['read'])
  assert.equal(revoked.code, 0)
  assert.match(again.err, /^rollcall: account 2 has no token \d+ that still works.*\n$/)
  assert.deepEqual([nowhere.code, nowhere.out, nowhere.err], [1, '', 'rollcall: there is no account 9\n'])
  assert.ok(!readFileSync(join(home, 'secret'), 'utf8').includes(made.out.trim()))
})
