import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ForbiddenError } from '../src/errors.ts'
import { messagesOf } from '../src/event-stream.ts'
import { rollcall } from '../src/rollcall.ts'
import { between, withClient } from './live.ts'

test('a stream of events is taken up where it broke off: nothing is missed, nothing comes twice', async (t) => {
  const { origin, token, client } = await withClient(t)
  let [asked, refusals] = [0, 1]
  const url = await between(t, async (request, response) => {
    const answer = await fetch(origin + request.url, { headers: { 'api-token': token } })
    if (!request.url!.includes('/stream')) return response.end(await answer.text())
    if (++asked === 2 && refusals-- > 0) return response.writeHead(503).end()
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.flushHeaders()
    // Each connection is cut in the middle of its second event.
    let sent = 0
    try {
      for await (const chunk of answer.body!) {
        for (const part of Buffer.from(chunk)
          .toString()
          .split(/(?<=\n\n)/)) {
          if (part.includes('data:') && ++sent === 2) return response.write(part.slice(0, 20), () => response.destroy())
          response.write(part)
        }
      }
    } catch {
      response.destroy() // the service has ended
    }
  })
  const breaks: string[] = []
  const stop = new AbortController()
  const seen: string[] = []
  const stream = rollcall({ url, token }).events.stream({
    after: 'start',
    types: ['created'],
    signal: stop.signal,
    onBreak: ({ message }) => breaks.push(message),
  })
  await client.contacts.create({ email: 'p0@example.com' })
  await client.contacts.create({ email: 'p1@example.com' })
  await client.contacts.create({ email: 'p2@example.com' })

  const followed = (async () => {
    for await (const { event, cursor } of stream) {
      assert.ok(cursor)
      seen.push((event.data.email as { to: string }).to)
      if (seen.length === 3) stop.abort(new Error('enough'))
    }
  })()

  await assert.rejects(followed, /enough/)
  assert.deepEqual(seen, ['p0@example.com', 'p1@example.com', 'p2@example.com'])
  assert.ok(breaks.length >= 2, breaks.join())
})

test('what the service refuses is thrown, not tried again', async (t) => {
  const url = await between(t, (request, response) => {
    response.writeHead(request.url!.includes('/stream') ? 403 : 200, { 'content-type': 'application/json' })
    response.end('{"errors":"Access forbidden","data":[],"next_cursor":"c","has_more":false}')
  })
  await assert.rejects(rollcall({ url, token: 't' }).events.stream().next(), ForbiddenError)
})

test('messages are read however they are cut, and a stream that falls silent has ended', async () => {
  const text = ': hello\n\nid: 1\nevent: x\ndata: {"a":\ndata: "é"}\n\nretry: 5\n\nid: 2\r\ndata: 2\r\n\r\ndata: lost'
  const bytes = new TextEncoder().encode(text)
  for (const size of [1, 3, 7, bytes.length]) {
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
      bytes.slice(at * size, (at + 1) * size),
    )
    const body = new ReadableStream({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(chunk)
        controller.close()
      },
    })
    const messages = await Array.fromAsync(messagesOf(new Response(body)))
    assert.deepEqual(
      messages,
      [
        { id: '1', data: '{"a":\n"é"}' },
        { id: '2', data: '2' },
      ],
      `in pieces of ${size}`,
    )
  }
  const silent = messagesOf(new Response(new ReadableStream()), 1)
  await assert.rejects(silent.next(), /Nothing came for 0.001 s/)
})

test('acts on many are followed, compared and taken back; deliveries are read', async (t) => {
  const { client } = await withClient(t, {})
  const id = await client.importContacts([{ email: 'ada@example.com', fields: { first_name: 'Ada' } }])
  const phases: string[] = []
  for await (const { phase } of client.imports.follow(id)) phases.push(phase)
  assert.equal(phases.at(-1), 'finished')
  assert.deepEqual(
    (await Array.fromAsync(client.changeSets.diff(id))).map(({ email, action }) => [email, action]),
    [['ada@example.com', 'created']],
  )
  const trial = await client.changeSets.revert(id, { dry_run: true })
  assert.deepEqual(trial.counts, { removed: 1, restored: 0, kept: 0, gone: 0 })
  assert.equal((await client.changeSets.get(id)).kind, 'import')
  assert.deepEqual(
    (await Array.fromAsync(client.changeSets.all())).map((each) => each.id),
    [id],
  )
  const bulk = await client.changeSets.start({
    selection: { q: 'ada' },
    action: { type: 'add_tags', tags: ['x'] },
    dry_run: true,
  })
  assert.equal(bulk.kind, 'bulk')
})
