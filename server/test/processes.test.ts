import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import sql from 'sql-template-tag'
import { Database } from '../db/database.ts'
import { assertWhole } from './import-whole.ts'
import { countsOf } from './imports.ts'
import { waitsForLocks, whileHeld } from './locks.ts'
import { onClient, ownServer } from './own-server.ts'
import { type Program, rollcall, temporaryHome } from './program.ts'
import { receiver, verify } from './receiver.ts'

const server = await ownServer()
const LIMIT = { timeout: 280_000 }
const TOKEN = 'a-token-that-several-processes-are-told-of'
const headers = { 'api-token': TOKEN, 'content-type': 'application/json' }

/** Processes that share a database of their own. */
async function shared(t: TestContext, name: string) {
  await server.asRoot(`create database ${name} owner rollcall`)
  const home = temporaryHome(t)
  const programs: Program[] = []
  const env = {
    ...{ DATABASE_URL: server.urlOf(name), ROLLCALL_API_TOKEN: TOKEN, LOG_LEVEL: 'warn' },
    ...{ WEBHOOK_ALLOW_PRIVATE: 'true', WEBHOOK_TIMEOUT_S: '60' },
  }
  t.after(async () => {
    for (const { child } of programs) child.kill('SIGKILL')
    await Promise.all(programs.map(({ ended }) => ended))
  })
  return {
    url: env.DATABASE_URL,
    async start(role: 'api' | 'worker'): Promise<{ program: Program; address: string }> {
      const program = rollcall(home, ['start', '--role', role], env)
      programs.push(program)
      if (role === 'api') return { program, address: await program.ready() }
      while (!program.out().startsWith('Rollcall works')) await sleep(20)
      return { program, address: '' }
    },
  }
}

// biome-ignore lint/suspicious/noExplicitAny: what a test reads from a body is checked by the test
async function post(address: string, path: string, body: object): Promise<any> {
  const answer = await fetch(`${address}/api/${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  assert.ok(answer.ok, await answer.clone().text())
  return answer.json()
}

test('a worker that is killed between the answer and its note sends again, under the same id', LIMIT, async (t) => {
  const { start, url } = await shared(t, 'killed')
  const there = await receiver(t)
  const [{ address }, { program: doomed }] = [await start('api'), await start('worker')]
  const hook = await post(address, 'webhooks', { url: there.at('/hook', 'stall', 200) })
  await post(address, 'contacts', { email: 'ada@example.com' })
  await there.until('/hook', 1)

  doomed.child.kill('SIGKILL')
  await doomed.ended
  await start('worker')
  await sleep(1000)
  assert.equal(there.received('/hook').length, 1, 'the killed one might still be at it')
  await onClient(url, (client) => client.query(`update deliveries set claimed_until = now() - interval '1 second'`))
  const [first, second] = await there.until('/hook', 2)

  assert.equal(second!.id, first!.id)
  assert.equal(second!.body, first!.body)
  verify(hook.secret, second!)
  const log = `${address}/api/webhooks/${hook.id}/deliveries`
  for (let state = ''; state !== 'delivered'; await sleep(20))
    state = ((await (await fetch(log, { headers })).json()) as { data: { state: string }[] }).data[0]!.state
})

test('what is written through one process is streamed by another, while two dispatch and send', LIMIT, async (t) => {
  const { start } = await shared(t, 'several')
  const there = await receiver(t)
  const [one, two] = [await start('api'), await start('api')]
  const workers = [await start('worker'), await start('worker')]
  await post(one.address, 'webhooks', { url: there.at('/hook', 200) })
  const stream = await fetch(`${two.address}/api/events/stream`, { headers })
  const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  const read = (async () => {
    for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value
  })()

  const count = 40
  for (let nth = 0; nth < count; nth++) await post(one.address, 'contacts', { email: `p${nth}@example.com` })
  const messages = await there.until('/hook', count)
  const positions = () => [...text.matchAll(/"position":(\d+)/g)].map((match) => Number(match[1]))
  while (positions().length < count) await sleep(20)
  two.program.child.kill('SIGTERM')
  await read
  assert.equal((await two.program.ended).code, 0, 'the stream ended as a whole answer, and kept nobody waiting')

  assert.deepEqual(
    positions(),
    Array.from({ length: count }, (_, at) => at + 1),
  )
  assert.equal(new Set(messages.map(({ id }) => id)).size, count)
  for (const { program } of workers) program.child.kill('SIGTERM')
  for (const { program } of workers) assert.equal((await program.ended).code, 0)
  assert.equal(there.received('/hook').length, count)
})

/** Ends its job as if the last sign of life of whoever had it were long ago: the wait for that takes half a minute. */
const missed = (url: string) =>
  onClient(url, (client) =>
    client.query(
      `update pgboss.job set heartbeat_on = now() - make_interval(secs => heartbeat_seconds + 1) where state = 'active'`,
    ),
  )

test(
  'workers that are killed while they read and while they merge leave an import that another ends',
  LIMIT,
  async (t) => {
    const { start, url } = await shared(t, 'killed_importing')
    const db = new Database({ url, max: 4 })
    t.after(() => db.close())
    const rows = 12_000 // three chunks
    const lines = Array.from({ length: rows }, (_, n) => `p${String(n).padStart(5, '0')}@example.com,N${n}`)
    const file = new FormData()
    file.set('file', new Blob([`email,first_name\n${lines.join('\n')}\nbad,x\n`]), 'people.csv')
    const { address } = await start('api')
    const call = async (method: string, path: string, sent?: unknown) => {
      const given = sent instanceof FormData ? { body: sent } : {}
      const answer = await fetch(address + path, { method, headers: { 'api-token': TOKEN }, ...given })
      // biome-ignore lint/suspicious/noExplicitAny: what a test reads from a body is checked by the test
      return { status: answer.status, body: (await answer.json()) as any, headers: {} }
    }
    const kill = async ({ child, ended }: Program) => {
      child.kill('SIGKILL')
      assert.equal((await ended).signal, 'SIGKILL')
    }

    const { program: first } = await start('worker')
    // Nobody can stage a row in the middle, of an import whose number is told in advance.
    const staging = sql`insert into import_rows (account_id, import_id, key, line, fields) values (1, 1, 'p06000@example.com', 6002, '{}')`
    const { id } = await whileHeld(db, staging, async () => {
      const { status, body: made } = await call('POST', '/api/contact_imports', file)
      assert.deepEqual([status, made.id], [201, 1], JSON.stringify(made))
      // Others wait for locks now and then, too: first it must have begun.
      while ((await call('GET', '/api/contact_imports/1')).body.phase !== 'reading') await sleep(20)
      await waitsForLocks(db, 1)
      await kill(first)
      return made
    })
    const shown = async () => (await call('GET', `/api/contact_imports/${id}`)).body
    assert.equal((await shown()).phase, 'reading')

    const { program: second } = await start('worker')
    // Nobody can enter a person of the last chunk.
    const entering = sql`insert into contacts (account_id, email, state, origin) values (1, 'p11000@example.com', 'none', 'test')`
    await whileHeld(db, entering, async () => {
      await missed(url)
      await waitsForLocks(db, 1)
      while ((await shown()).created_contacts_count === 0) await sleep(20)
      await kill(second)
    })
    const cut = await shown()
    assert.equal(cut.phase, 'merging')
    assert.ok(cut.created_contacts_count > 0 && cut.created_contacts_count < rows)

    const { program: third } = await start('worker')
    await missed(url)
    while ((await shown()).phase === 'merging') await sleep(50)
    const done = await shown()
    assert.deepEqual(countsOf(done), { rows_read: rows + 1, created: rows, rejected: 1 }, JSON.stringify(done))
    while ((await db.query(sql`select from outbox limit 1`)).length > 0) await sleep(50)
    third.child.kill('SIGTERM')
    assert.equal((await third.ended).code, 0)
    await assertWhole({ db, call, accountId: 1, token: TOKEN }, [id])
    assert.deepEqual(await db.query(sql`select from import_rows`), [])
  },
)
