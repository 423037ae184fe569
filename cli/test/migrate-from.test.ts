import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { atEnd } from '../../server/test/database.ts'
import { live } from '../../server/test/live.ts'
import { Terminal } from './terminal.ts'

test('an account of the official API moves over, and goes on after a break', async (t) => {
  const rollcall = await live(t)
  const source = await rollcall.another('Source')
  const seed = async (url: string, body: object) => {
    const answer = await source.call('POST', url, body)
    assert.ok(answer.status < 300, JSON.stringify(answer.body))
    return answer.body
  }
  const news = await seed('/api/contacts/lists', { name: 'News' })
  const empty = await seed('/api/contacts/lists', { name: 'Nobody' })
  await seed('/api/contacts/fields', { name: 'Shoe size', merge_tag: 'shoe', data_type: 'float' })
  await seed('/api/contacts/fields', { name: 'Born', merge_tag: 'born_on', data_type: 'date' })
  const people = [
    {
      email: 'ada@example.com',
      fields: { first_name: 'Ada', last_name: 'Love, "lace"', shoe: 38.5, born_on: '1815-12-10' },
      list_ids: [news.id],
    },
    { email: 'grace@example.com', fields: { first_name: '=Grace' } },
    { email: 'left@example.com', unsubscribed: true, list_ids: [news.id] },
  ]
  for (const contact of people) await seed('/api/contacts', { contact })
  // Here already, and subscribed: what they said there counts.
  await rollcall.post('/api/contacts', { email: 'left@example.com' })
  await rollcall.post('/api/contact_lists', { name: 'news' })
  const terminal = new Terminal(t, { ROLLCALL_URL: rollcall.origin, ROLLCALL_TOKEN: rollcall.token })
  const state = terminal.path('move.json')
  // The source breaks down at the file of the second export.
  const broken = await failing(
    t,
    rollcall.origin,
    ({ method, url }, nth) => method === 'POST' && url!.endsWith('/exports') && nth === 2,
  )
  const command = (url: string) => [
    ...['migrate-from', 'mailtrap', '--token', source.token, '--account', String(source.accountId)],
    ...['--url', url, '--state', state],
  ]

  const first = await terminal.run(command(broken.url))
  assert.equal(first.code, 4, first.err) // a token that was taken away in between
  assert.match(first.err, new RegExp(`^rollcall: ${broken.url} refuses the token`))
  const kept = JSON.parse(readFileSync(state, 'utf8'))
  assert.deepEqual([Object.keys(kept.steps), kept.steps.subscribed.done.created], [['subscribed'], 2])
  assert.doesNotMatch(readFileSync(state, 'utf8'), new RegExp(`${source.token}|ada@example.com`))

  broken.mend()
  const second = await terminal.run(command(broken.url))
  assert.equal(second.code, 0, second.err)
  assert.match(second.out, /lists {3}2, of which 1 made now\nfields {2}4, of which 2 made now/)
  assert.match(second.out, /^subscribed +2 +2 +0 +0 +0 +0/m)
  assert.match(second.out, /^unsubscribed +1 +0 +1 +0 +0 +0/m)
  assert.match(second.out, /^list News +2 +0 +2 +0 +0 +0/m)
  assert.match(second.out, /^list Nobody +0 +0/m)
  const imports = (await rollcall.get('/api/contact_imports')).body.total
  assert.equal(imports, 4)

  const third = await terminal.run(command(broken.url))
  assert.deepEqual([third.code, third.out], [0, second.out])
  assert.equal((await rollcall.get('/api/contact_imports')).body.total, imports)

  const there = async (email: string) => (await rollcall.get(`/api/contacts/${email}`)).body.data
  const [ada, grace, left] = await Promise.all(['ada', 'grace', 'left'].map((name) => there(`${name}@example.com`)))
  assert.deepEqual(ada.fields, people[0]!.fields)
  assert.deepEqual([ada.list_ids.length, grace.list_ids.length, grace.fields.first_name], [1, 0, '=Grace'])
  assert.deepEqual(
    [ada.state, grace.state, left.state, left.list_ids.length],
    ['subscribed', 'subscribed', 'unsubscribed', 1],
  )
  const then = (await source.call('GET', '/api/contacts/ada@example.com')).body.data
  assert.equal(ada.created_at, then.created_at)
  assert.ok(empty.id)

  const other = await terminal.run([...command(rollcall.origin)])
  assert.equal(other.code, 1)
  assert.match(other.err, /^rollcall: .*move.json tells of a move from .*: name another file with --state\n$/)
  writeFileSync(terminal.path('broken.json'), '{')
  const unreadable = await terminal.run([...command(broken.url), '--state', terminal.path('broken.json')])
  assert.match(unreadable.err, /is no journal of a move/)
})

/** The service behind an address of its own, which refuses what it is told to until it is mended. */
async function failing(
  t: Parameters<typeof live>[0],
  origin: string,
  refuses: (request: IncomingMessage, nth: number) => boolean,
) {
  let [isMended, nth] = [false, 0]
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    if (request.method === 'POST' && request.url!.endsWith('/exports')) nth++
    if (!isMended && refuses(request, nth)) {
      response.writeHead(401, { 'content-type': 'application/json' }).end('{"error":"Incorrect API token"}')
      return
    }
    const { host, connection, 'content-length': _, ...headers } = request.headers
    const answer = await fetch(origin + request.url, {
      method: request.method!,
      headers: headers as Record<string, string>,
      ...(chunks.length > 0 ? { body: Buffer.concat(chunks) } : {}),
    })
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'text/plain' })
    response.end(Buffer.from(await answer.arrayBuffer()))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  atEnd(t, () => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    mend: () => {
      isMended = true
    },
  }
}
