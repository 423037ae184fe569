import assert from 'node:assert/strict'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import sql from 'sql-template-tag'
import { dispatched, keyring, type TestApp, testApp } from '../../test/app.ts'
import { atEnd } from '../../test/database.ts'
import { until } from '../../test/until.ts'
import { beginEpoch, readHead } from './feed.ts'
import { FeedCursors } from './feed-cursor.ts'
import { streamFeed } from './feed-stream.ts'
import { FeedWatch } from './feed-watch.ts'

interface Message {
  id?: string
  event?: string
  data?: string
}

/** A reader of the stream over a real connection. */
interface Reader {
  status: number
  messages: Message[]
  /** Waits until so many events have come. */
  until: (count: number) => Promise<Message[]>
  /** Resolves when the server has ended the stream; rejects when the connection broke. */
  ended: Promise<void>
  socket: IncomingMessage
  close: () => void
}

/** The API, listening. */
async function listening(t: TestContext): Promise<TestApp> {
  const made = await testApp(t)
  await made.app.listen({ host: '127.0.0.1', port: 0 })
  return made
}

async function open(t: TestContext, made: TestApp, query = '', headers: Record<string, string> = {}): Promise<Reader> {
  const { port } = made.app.server.address() as AddressInfo
  const messages: Message[] = []
  const asking: ClientRequest = request({
    ...{ host: '127.0.0.1', port, path: `/api/events/stream?${query}` },
    headers: { 'api-token': made.token, ...headers },
  })
  asking.end()
  const socket = await new Promise<IncomingMessage>((resolve, reject) => {
    asking.once('response', resolve)
    asking.once('error', reject)
  })
  asking.on('error', () => {})
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (text + chunk).split('\n\n')
    text = parts.pop()!
    for (const part of parts) {
      const lines = part.split('\n').filter((line) => !line.startsWith(':'))
      messages.push(Object.fromEntries(lines.map((line) => line.split(/: (.*)/).slice(0, 2))))
    }
  })
  const ended = new Promise<void>((resolve, reject) => {
    socket.once('end', resolve)
    socket.once('error', reject)
  })
  ended.catch(() => {})
  t.after(() => asking.destroy())
  const events = () => messages.filter(({ data }) => data !== undefined)
  return {
    status: socket.statusCode!,
    messages,
    async until(count) {
      const deadline = Date.now() + 60_000
      while (events().length < count && Date.now() < deadline) await sleep(10)
      return events()
    },
    ended,
    socket,
    close: () => asking.destroy(),
  }
}

/** What the API asks the database from now on, transactions aside. */
function statementsOf({ db: { pool } }: TestApp): string[] {
  const statements: string[] = []
  const query = pool.query.bind(pool) as (...given: unknown[]) => unknown
  pool.query = ((text: string, ...rest: unknown[]) => {
    statements.push(text)
    return query(text, ...rest)
  }) as typeof pool.query
  return statements
}

const add = (made: TestApp, name: string) => made.post('/api/contacts', { email: `${name}@example.com` })

test('a stream begins with what comes next, and a reader that comes back misses nothing', async (t) => {
  const made = await listening(t)
  await add(made, 'before')
  await dispatched(made.db)

  const first = await open(t, made)
  await add(made, 'a')
  await dispatched(made.db)
  const [a, ...more] = await first.until(1)
  first.close()
  await add(made, 'b')
  await add(made, 'c')
  await dispatched(made.db)
  const again = await open(t, made, 'after=now', { 'last-event-id': a!.id! })
  const rest = await again.until(2)

  assert.deepEqual([first.status, more], [200, []])
  assert.equal(first.socket.headers['content-type'], 'text/event-stream')
  assert.equal(first.socket.headers['cache-control'], 'no-store')
  const read = (await made.get('/api/events')).body.data
  assert.deepEqual(
    [a!, ...rest].map((message) => JSON.parse(message.data!)),
    read.slice(1),
  )
  assert.deepEqual(
    [a!, ...rest].map((message) => message.event),
    ['created', 'created', 'created'],
  )
  const behind = await made.get(`/api/events?after=${a!.id}`)
  assert.deepEqual(behind.body.data, read.slice(2), 'the id of a message is a cursor of the feed')
})

test('filters hold for a stream too, also for what it has to catch up with', async (t) => {
  const made = await listening(t)
  for (let nth = 0; nth < 230; nth++) await add(made, `p${nth}`)
  await made.del('/api/contacts/p5@example.com')
  await dispatched(made.db)

  const reader = await open(t, made, 'after=start&types=deleted')
  await made.del('/api/contacts/p6@example.com')
  await dispatched(made.db)

  assert.deepEqual(
    (await reader.until(2)).map((message) => JSON.parse(message.data!).position),
    [231, 232],
  )
  const whole = await open(t, made, 'after=start')
  assert.deepEqual(
    (await whole.until(232)).map((message) => JSON.parse(message.data!).position),
    Array.from({ length: 232 }, (_, at) => at + 1),
  )
})

test('however many read, the heads are looked at once, and a page that all need is read once', async (t) => {
  const made = await listening(t)
  const readers = await Promise.all(Array.from({ length: 20 }, () => open(t, made)))
  const statements = statementsOf(made)
  const startedMs = performance.now()
  await sleep(1100)
  const looks = statements.filter((text) => text.includes('feed_heads')).length
  const possible = (performance.now() - startedMs) / 250 + 1

  await add(made, 'a')
  await dispatched(made.db)
  for (const reader of readers) assert.equal((await reader.until(1)).length, 1)

  assert.ok(looks >= 2 && looks <= possible, `${looks} looks`)
  assert.equal(statements.filter((text) => text.includes('from feed as f')).length, 1)
})

test('closing the service ends a stream as a whole answer, and takes no longer for it', async (t) => {
  const made = await listening(t)
  const reader = await open(t, made)
  await add(made, 'a')
  await dispatched(made.db)
  await reader.until(1)

  const startedMs = performance.now()
  const closed = made.app.close()
  await reader.ended
  await closed

  assert.ok(performance.now() - startedMs < 15_000)
  assert.ok(reader.socket.complete)
})

test('a new epoch ends a stream, and who comes back is told where to go on', async (t) => {
  const made = await listening(t)
  const reader = await open(t, made)
  await add(made, 'a')
  await dispatched(made.db)
  const [a] = await reader.until(1)

  await beginEpoch(made.db, made.accountId)
  await reader.ended

  const answer = await made.call('GET', '/api/events/stream', undefined, { 'last-event-id': a!.id! })
  assert.deepEqual([answer.status, answer.body.position], [410, 1])
  const wrong = await made.call('GET', '/api/events/stream', undefined, { 'last-event-id': 'abc' })
  assert.deepEqual([wrong.status, Object.keys(wrong.body.errors)], [422, ['Last-Event-ID']])
})

test('for a reader that takes nothing, no more is read than what its connection holds', async (t) => {
  const made = await listening(t)
  const { db, accountId } = made
  const count = 30_000
  await db.query(sql`
    with made as (
      insert into events (account_id, type, types, data)
      select ${accountId}, 'custom', '{custom}', jsonb_build_object('params', jsonb_build_object('text', repeat('x', 255)))
      from generate_series(1, ${count}::int) returning id
    )
    insert into feed (account_id, position, event_id) select ${accountId}, row_number() over (order by id), id from made`)
  await db.query(sql`update feed_heads set position = ${count} where account_id = ${accountId}`)
  const statements = statementsOf(made)
  const pages = () => statements.filter((text) => text.includes('from feed as f')).length

  const reader = await open(t, made, 'after=start')
  reader.socket.pause()
  await until(() => pages() > 0)
  for (let before = 0; before !== pages(); await sleep(500)) before = pages()
  const held = pages()
  reader.socket.resume()
  const events = await reader.until(count)

  assert.ok(held > 0 && held < count / 200 / 2, `${held} pages were read for nobody`)
  assert.equal(events.length, count)
  assert.ok(pages() >= count / 200)
})

test('a reader that leaves in the midst of much leaves nothing behind', async (t) => {
  const made = await listening(t)
  const { db, accountId } = made
  await db.query(sql`
    with made as (
      insert into events (account_id, type, types) select ${accountId}, 'custom', '{custom}' from generate_series(1, 30000) returning id
    )
    insert into feed (account_id, position, event_id) select ${accountId}, row_number() over (order by id), id from made`)
  await db.query(sql`update feed_heads set position = 30000 where account_id = ${accountId}`)
  const readers = [await open(t, made, 'after=start'), await open(t, made, 'after=start')]
  readers[1]!.socket.pause()
  await readers[0]!.until(1000)
  await sleep(300)
  for (const reader of readers) reader.close()
  const { server } = made.app
  await until(() => new Promise((resolve) => server.getConnections((_error, count) => resolve(count === 0))))

  const statements = statementsOf(made)
  await sleep(600)
  assert.deepEqual(statements, [], 'nobody reads any more')
  const startedMs = performance.now()
  await made.app.close()
  assert.ok(performance.now() - startedMs < 15_000)
})

test('while nothing happens there is a sign of life, and a token that was revoked ends the stream', async (t) => {
  const made = await testApp(t)
  const { db, accountId } = made
  const watch = new FeedWatch(db, (error) => assert.fail(String(error)))
  atEnd(t, () => watch.stop())
  let allowed = true
  const events = streamFeed({
    ...{ db, watch, cursors: new FeedCursors(keyring), accountId, after: 0, signal: new AbortController().signal },
    head: await readHead(db, accountId),
    filter: { types: [], contactId: undefined },
    nameFields: async () => (data) => data,
    withEmails: false,
    isAllowed: async () => allowed,
    heartbeatMs: 50,
  })

  assert.equal((await events.next()).value, 'retry: 2000\n\n')
  assert.match(String((await events.next()).value), /^: alive\nid: [\w-]{59}\n\n$/)
  allowed = false
  assert.equal((await events.next()).done, true)
})

test('an account has a bound of streams in a process, and an ended one makes room', async (t) => {
  const made = await listening(t)
  const readers = await Promise.all(Array.from({ length: 100 }, () => open(t, made)))

  const refused = await open(t, made)
  assert.equal(refused.status, 429)
  readers[0]!.close()
  await until(async () => (await open(t, made)).status === 200)
})
