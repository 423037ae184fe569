import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { socketUrl } from '../db/embedded.ts'
import type { Owner } from '../db/owner.ts'
import { onClient } from './own-server.ts'
import { freePort, isAlive, readOwnerFile, rollcall, temporaryHome } from './program.ts'

const LIMIT = { timeout: 120_000 }

/** A home that has been started once, copied for each test that needs one. */
const template = mkdtempSync(join(tmpdir(), 'rollcall-template-'))
let token = ''

before(async () => {
  token = (await rollcall(template, ['token', 'create']).ended).out.trim()
  assert.match(token, /^rc_/)
})
after(() => rmSync(template, { recursive: true }))

function startedHome(t: TestContext): string {
  const home = temporaryHome(t)
  execFileSync('cp', ['-a', template, home])
  return home
}

const bearer = { authorization: `Bearer ${token}` }
const withToken = () => ({
  headers: { ...bearer, authorization: `Bearer ${token}`, 'content-type': 'application/json' },
})

function create(url: string, email: string): Promise<Response> {
  return fetch(`${url}/api/contacts`, { method: 'POST', ...withToken(), body: JSON.stringify({ email }) })
}

async function emails(url: string): Promise<string[]> {
  const response = await fetch(`${url}/api/contacts`, withToken())
  const { data } = (await response.json()) as { data: { email: string }[] }
  return data.map(({ email }) => email).sort()
}

/** Every file below a directory with its size and the moment of its last change. */
function snapshot(directory: string): string[] {
  return readdirSync(directory, { recursive: true }).map((name) => {
    const { size, mtimeMs } = statSync(join(directory, String(name)))
    return `${name} ${size} ${mtimeMs}`
  })
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
  const home = startedHome(t)
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
    const home = startedHome(t)
    const service = rollcall(home, ['start'])
    const url = await service.ready()
    const { socketDir, postmasterPid } = readOwnerFile(home)!

    const { answer, tookMs } = await onClient(socketUrl(socketDir!), async (client) => {
      await client.query('begin; lock table contacts')
      const answer = create(url, 'late@example.com')
      await sleep(300)
      service.child.kill('SIGTERM')
      const startedMs = performance.now()
      await sleep(300)
      await assert.rejects(fetch(`${url}/healthz`, { headers: { connection: 'close' } }), 'no new connection is taken')
      await client.query('commit')
      await client.end()
      assert.equal((await service.ended).code, 0, service.err())
      return { answer: await answer, tookMs: performance.now() - startedMs }
    })

    assert.equal(answer.status, 201)
    assert.ok(tookMs < 4000, `${tookMs} ms`) // well before requests would be cut off
    assert.ok(!isAlive(postmasterPid!))
    assert.ok(!existsSync(socketDir!))
  },
)

test('a request that does not end is cut off, and the stop still is clean and in time', LIMIT, async (t) => {
  const home = startedHome(t)
  const service = rollcall(home, ['start'], { SHUTDOWN_TIMEOUT_S: '2' })
  const url = await service.ready()
  const { socketDir, postmasterPid } = readOwnerFile(home)!

  await onClient(socketUrl(socketDir!), async (client) => {
    client.on('error', () => {}) // it is ended with the server
    await client.query('begin; lock table contacts')
    const answer = create(url, 'never@example.com')
    answer.catch(() => {})
    await sleep(300)
    service.child.kill('SIGINT')
    const startedMs = performance.now()

    assert.equal((await service.ended).code, 0, service.err())
    assert.ok(performance.now() - startedMs < 4000)
    await assert.rejects(answer)
  }).catch((error: Error) => assert.match(error.message, /terminat/))
  assert.ok(!isAlive(postmasterPid!))
})

test('after kill -9 a start stops the PostgreSQL that was left, and finds everything', LIMIT, async (t) => {
  const home = startedHome(t)
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
  const home = startedHome(t)
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
  const home = startedHome(t)
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
  const home = startedHome(t)
  const service = rollcall(home, ['start'])
  await service.ready()

  process.kill(readOwnerFile(home)!.postmasterPid!, 'SIGKILL')

  const end = await service.ended
  assert.equal(end.code, 1)
  assert.match(end.err, /PostgreSQL has ended/)
})

test('files that name a pid which is by now of another process keep nobody from starting', LIMIT, async (t) => {
  const home = startedHome(t)
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

test('a port that is taken is named, before anything is started', LIMIT, async (t) => {
  const home = temporaryHome(t)
  const port = await freePort()
  const other = createServer().listen(port, '127.0.0.1')
  await once(other, 'listening')
  t.after(() => other.close())

  const refused = await rollcall(home, ['start'], { PORT: String(port) }).ended

  assert.equal(refused.code, 1)
  assert.match(
    refused.err,
    new RegExp(`^rollcall: port ${port} on 127\\.0\\.0\\.1 is taken by another program: .*PORT\\n$`),
  )
  assert.ok(!existsSync(join(home, 'pg18')))
})

test('a directory or a schema of a newer release is refused and left as it is', LIMIT, async (t) => {
  const home = startedHome(t)
  mkdirSync(join(home, 'pg19'))
  const found = snapshot(home)
  for (const command of [['start'], ['token', 'list'], ['migrate']]) {
    const refused = await rollcall(home, command).ended
    assert.equal(refused.code, 1)
    assert.match(
      refused.err,
      /^rollcall: .* was made by a newer Rollcall, with PostgreSQL 19 .* Nothing was changed\n$/,
    )
  }
  assert.deepEqual(snapshot(home), found)
  rmSync(join(home, 'pg19'), { recursive: true })

  const service = rollcall(home, ['start'])
  await service.ready()
  await onClient(socketUrl(readOwnerFile(home)!.socketDir!), async (client) => {
    await client.query(`insert into migrations (name, checksum) values ('9999_later.sql', '')`)
  })
  service.child.kill()
  await service.ended
  const refused = await rollcall(home, ['start']).ended
  assert.equal(refused.code, 1)
  assert.match(refused.err, /rollcall: the database was made by a newer Rollcall \(it has 9999_later\.sql/)
})

test('a bad setting is named without its value', LIMIT, async (t) => {
  const refused = await rollcall(temporaryHome(t), ['start'], { LOG_LEVEL: 'sesame' }).ended

  assert.equal(refused.code, 1)
  assert.equal(
    refused.err,
    'rollcall: bad configuration:\n  LOG_LEVEL must be one of trace, debug, info, warn, error, fatal, silent\n',
  )
})

test('a token from ROLLCALL_API_TOKEN works, and is not printed', LIMIT, async (t) => {
  const given = 'a-token-that-automation-has-chosen-by-itself'
  const service = rollcall(startedHome(t), ['start'], { ROLLCALL_API_TOKEN: given })
  const url = await service.ready()

  assert.equal((await fetch(`${url}/api/contacts`, { headers: { 'api-token': given } })).status, 200)
  assert.ok(!service.out().includes(given) && !service.out().includes('rc_'))
})

test('the secret in use is asked for when it is missing', LIMIT, async (t) => {
  const home = startedHome(t)
  const service = rollcall(home, ['start'])
  await service.ready()
  await onClient(socketUrl(readOwnerFile(home)!.socketDir!), async (client) => {
    await client.query(`
      insert into suppressions (account_id, kind, value, key_id, reason, source) values (1, 'hmac', '00', '01234567', 'erased', 'test')`)
  })
  service.child.kill()
  await service.ended

  const refused = await rollcall(home, ['start']).ended

  assert.equal(refused.code, 1)
  assert.match(refused.err, /rollcall: the database holds marks made with key 01234567.*backup\n$/)
})

test('commands without a server start one for their own time and say plainly what went wrong', LIMIT, async (t) => {
  const home = startedHome(t)

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
