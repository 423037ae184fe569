import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backoffMs, retryAfterMs } from '../src/attempts.ts'
import {
  ConnectionError,
  InvalidError,
  RateLimitedError,
  RollcallError,
  rollcall,
  ServiceError,
  TimeoutError,
  UnexpectedAnswerError,
} from '../src/rollcall.ts'
import { between, giveBack, passOn, withClient } from './live.ts'

test('a change whose answer was lost is done once, and answered as it was', async (t) => {
  const made = await withClient(t)
  let asked = 0
  const url = await between(t, async (request, response) => {
    const answer = await passOn(made.origin, request)
    if (++asked <= 2) request.socket.destroy()
    else await giveBack(answer, response)
  })

  const contact = await rollcall({ url, token: made.token }).contacts.create({ email: 'once@example.com' })

  assert.equal(asked, 3)
  assert.equal(contact.email, 'once@example.com')
  const { data } = (await made.get(`/api/contacts/${contact.id}/events`)).body
  assert.deepEqual(
    data.map((event: { type: string }) => event.type),
    ['created'],
  )
})

test("an error of this client's own that the given fetch throws is no lost connection", async () => {
  class Left extends RollcallError {}
  let asked = 0
  const fetch = async () => {
    asked++
    throw new Left('nobody is there any more')
  }
  await assert.rejects(rollcall({ url: 'http://127.0.0.1:9', token: 't', fetch }).lists.list(), Left)
  assert.equal(asked, 1)
})

test('a delete whose answer was lost is no "not found"', async (t) => {
  const made = await withClient(t)
  await made.client.contacts.create({ email: 'gone@example.com' })
  let asked = 0
  const url = await between(t, async (request, response) => {
    const answer = await passOn(made.origin, request)
    if (++asked === 1) request.socket.destroy()
    else response.writeHead(answer.status).end()
  })

  assert.equal(await rollcall({ url, token: made.token }).contacts.delete('gone@example.com'), undefined)
  assert.equal(asked, 2)
})

test('the service is asked again when it says when, not before', async (t) => {
  const times: number[] = []
  const url = await between(t, (_request, response) => {
    times.push(performance.now())
    if (times.length === 1)
      response.writeHead(429, { 'retry-after': '1', 'content-type': 'application/json' }).end('{}')
    else response.writeHead(200, { 'content-type': 'application/json' }).end('[]')
  })

  assert.deepEqual(await rollcall({ url, token: 't' }).lists.list(), [])
  const waited = times[1]! - times[0]!
  assert.ok(waited >= 995 && waited < 3000, `${waited} ms`)
})

test('a wait that is too long is left to the caller', async (t) => {
  const url = await between(t, (_request, response) => {
    response.writeHead(429, { 'retry-after': '3600', 'content-type': 'application/json', 'x-request-id': 'r1' })
    response.end('{"errors":"Rate limit exceeded"}')
  })

  await assert.rejects(rollcall({ url, token: 't' }).lists.list(), (error) => {
    assert.ok(error instanceof RateLimitedError)
    assert.deepEqual([error.status, error.retryAfterMs, error.requestId], [429, 3_600_000, 'r1'])
    assert.equal(error.message, 'Rate limit exceeded')
    return true
  })
})

test('what is refused for good is asked once, what fails as often as was said', async (t) => {
  let asked = 0
  const statuses = [422, 500, 503, 503]
  const url = await between(t, (_request, response) => {
    const status = statuses[asked++]!
    response.writeHead(status, { 'content-type': 'application/json', 'retry-after': '0' })
    response.end('{"errors":{"name":["is bad","is worse"],"base":["no"]}}')
  })
  const client = rollcall({ url, token: 't', retries: 2 })

  await assert.rejects(client.lists.create({ name: 'x' }), (error) => {
    assert.ok(error instanceof InvalidError)
    assert.deepEqual(error.fields, { name: ['is bad', 'is worse'], base: ['no'] })
    assert.equal(error.message, 'name: is bad, is worse; no')
    return true
  })
  assert.equal(asked, 1)
  await assert.rejects(client.lists.create({ name: 'x' }), ServiceError)
  assert.equal(asked, 4)
})

test('every attempt of a call has the same key, every call another', async (t) => {
  const keys: unknown[] = []
  const url = await between(t, (request, response) => {
    keys.push(request.headers['idempotency-key'])
    const status = keys.length % 2 === 1 ? 503 : 200
    response.writeHead(status, { 'content-type': 'application/json', 'retry-after': '0' }).end('{}')
  })
  const client = rollcall({ url, token: 't' })
  await client.lists.create({ name: 'a' })
  await client.lists.create({ name: 'a' })
  await client.lists.create({ name: 'a' }, { idempotencyKey: 'mine' })

  assert.equal(keys[0], keys[1])
  assert.equal(keys[2], keys[3])
  assert.notEqual(keys[0], keys[2])
  assert.match(String(keys[0]), /^[\x21-\x7e]{16,255}$/)
  assert.deepEqual(keys.slice(4), ['mine', 'mine'])
})

test('no answer within the time is a TimeoutError, an abort throws its reason at once', async (t) => {
  let asked = 0
  const url = await between(t, () => asked++)
  const client = rollcall({ url, token: 't', timeoutMs: 1000, retries: 1 })

  await assert.rejects(client.lists.list(), TimeoutError)
  assert.equal(asked, 2)

  const controller = new AbortController()
  const began = performance.now()
  const call = client.lists.list({}, { signal: controller.signal, timeoutMs: 60_000 })
  setTimeout(() => controller.abort(new Error('enough')), 50)
  await assert.rejects(call, /^Error: enough$/)
  assert.ok(performance.now() - began < 30_000)
  await assert.rejects(client.lists.list({}, { signal: AbortSignal.abort(new Error('before')) }), /before/)
})

test('an abort ends the wait between two attempts', async (t) => {
  const url = await between(t, (_request, response) => response.writeHead(503, { 'retry-after': '30' }).end())
  const controller = new AbortController()
  setTimeout(() => controller.abort(new Error('enough')), 100)

  await assert.rejects(rollcall({ url, token: 't' }).lists.list({}, { signal: controller.signal }), /^Error: enough$/)
})

test('what is no Rollcall is told apart from what can not be reached', async (t) => {
  const page = await between(t, (_request, response) =>
    response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>Hello</h1>'),
  )
  const moved = await between(t, (_request, response) =>
    response.writeHead(301, { location: 'https://elsewhere.example/' }).end(),
  )
  const broken = await between(t, (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' })
    response.write('[')
    setTimeout(() => response.destroy(), 20)
  })
  const list = (url: string) => rollcall({ url, token: 't', retries: 0 }).lists.list()

  await assert.rejects(list(page), (error: Error) => {
    assert.ok(error instanceof UnexpectedAnswerError)
    assert.match(error.message, /answered 404 and no JSON: is `url` right/)
    return true
  })
  await assert.rejects(list(moved), /redirects to https:\/\/elsewhere\.example\//)
  await assert.rejects(list(broken), ConnectionError)
  await assert.rejects(list('http://127.0.0.1:1'), (error: Error) => {
    assert.ok(error instanceof ConnectionError)
    assert.match(error.message, /^http:\/\/127\.0\.0\.1:1 can not be reached: /)
    return true
  })
  assert.throws(() => rollcall({ url: 'example.com', token: 't' }), /must begin with https/)
  assert.throws(() => rollcall({ url: 'https://example.com', token: '' }), /token is missing/)
})

test('waits grow to eight seconds, and Retry-After may be seconds or a date', () => {
  const longest = [1, 2, 3, 4, 5, 6, 20].map((attempt) => backoffMs(attempt, () => 1))
  assert.deepEqual(longest, [500, 1000, 2000, 4000, 8000, 8000, 8000])
  assert.equal(
    backoffMs(3, () => 0),
    0,
  )
  const now = Date.UTC(2026, 0, 1)
  assert.equal(retryAfterMs('2', now), 2000)
  assert.equal(retryAfterMs('Thu, 01 Jan 2026 00:00:05 GMT', now), 5000)
  assert.equal(retryAfterMs('Wed, 31 Dec 2025 23:00:00 GMT', now), 0)
  for (const nothing of [null, '', 'soon']) assert.equal(retryAfterMs(nothing, now), undefined)
})
