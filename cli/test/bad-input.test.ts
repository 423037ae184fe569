import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createWriteStream, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { testApp } from '../../server/test/app.ts'
import { atEnd } from '../../server/test/database.ts'
import { freePort } from '../../server/test/program.ts'
import { Terminal } from './terminal.ts'

const LIMIT = { timeout: 280_000 }

test('bad input gets one line on stderr, no stack, and a code of its own', LIMIT, async (t) => {
  const made = await testApp(t) // without a worker: an import stays where it is
  const origin = await made.app.listen({ port: 0, host: '127.0.0.1' })
  atEnd(t, () => made.app.server.closeAllConnections())
  const terminal = new Terminal(t, { ROLLCALL_URL: origin, ROLLCALL_TOKEN: made.token })
  const stranger = await answering(t, (_, response) =>
    response.writeHead(404, { server: 'nginx/1.2', 'content-type': 'text/html' }).end('<title>Welcome</title>'),
  )
  const older = await answering(t, (request, response) => {
    const isDocument = request.url === '/openapi.json'
    response.writeHead(isDocument ? 200 : 404, { 'content-type': 'application/json' })
    const document = { info: { title: 'Rollcall', version: '0.0.9' }, paths: { '/api/contacts': { get: {} } } }
    response.end(JSON.stringify(isDocument ? document : { error: 'Not Found' }))
  })
  const api = await answering(t, (_, response) =>
    response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"nothing here"}'),
  )

  const cases: [args: string[], env: Record<string, string>, code: number, said: RegExp][] = [
    [
      ['lists', 'list'],
      { ROLLCALL_URL: stranger },
      3,
      /^rollcall: http:\S+ is not Rollcall: \/api\/contact_lists was answered 404 by nginx\/1\.2, as text\/html; give the address/,
    ],
    [
      ['lists', 'list'],
      { ROLLCALL_URL: api },
      3,
      /^rollcall: http:\S+ is not Rollcall: \/api\/contact_lists was answered 404 as application\/json;/,
    ],
    [
      ['lists', 'list'],
      { ROLLCALL_URL: older },
      1,
      /^rollcall: the service at http:\S+ \(version 0\.0\.9\) does not know GET \/api\/contact_lists: it is older than this command, update it/,
    ],
    [
      ['lists', 'list'],
      { ROLLCALL_TOKEN: 'rc_wrong' },
      4,
      /^rollcall: http:\S+ refuses the token \(Incorrect API token\): run rollcall login/,
    ],
    [['import', '/nowhere/people.csv'], {}, 1, /^rollcall: there is no file \/nowhere\/people\.csv$/],
  ]
  const results = await Promise.all(cases.map(([args, env]) => terminal.spawn(args, env).ended))
  for (const [at, { code, out, err }] of results.entries()) {
    const [args, , wanted, said] = cases[at]!
    assert.deepEqual([code, out], [wanted, ''], `${args.join(' ')}: ${err}`)
    assert.match(err.trimEnd(), said)
    assert.equal(err.trimEnd().split('\n').length, 1, err)
  }

  const unreachable = await terminal.run(['lists', 'list'], {
    env: { ROLLCALL_URL: `http://127.0.0.1:${await freePort()}`, ROLLCALL_TOKEN: made.token },
  })
  assert.deepEqual([unreachable.code, unreachable.err.split('\n').length], [3, 2])
  assert.match(unreachable.err, /can not be reached: .*; is Rollcall running at http:\/\/127\.0\.0\.1:\d+\?/)
  for (const args of [['get'], ['update', '--tag', 'x'], ['delete', '--yes']]) {
    const missing = await terminal.run(['contacts', args[0]!, 'ghost@example.com', ...args.slice(1)])
    assert.deepEqual([missing.code, missing.err], [5, 'rollcall: not found: GET /api/contacts/ghost@example.com\n'])
  }
  assert.equal((await made.get('/api/contacts')).body.total, 0, 'a slip enters nobody')
  const unsealed = await terminal.run(['lists', 'list'], { env: { ROLLCALL_URL: origin.replace('http:', 'https:') } })
  assert.deepEqual([unsealed.code, unsealed.err.split('\n').length], [3, 2])
  assert.match(
    unsealed.err,
    /^rollcall: https:\S+ can not be reached: what answers there does not speak https, only http\?\n$/,
  )
  const invalid = await terminal.run(['contacts', 'create', 'x\u001b[31m'])
  assert.equal(invalid.code, 1)
  assert.match(invalid.err, /^rollcall: email: .*\n$/)
  for (const args of [['frob'], ['contacts', 'find', '--limit', 'x'], ['contacts', 'get']]) {
    const refused = await terminal.run(args)
    assert.equal(refused.code, 2)
    assert.match(refused.err, /^error: .*\n\(rollcall .*--help shows what there is\)\n$/)
  }
  for (const [args, said] of [
    [['segments', 'preview', '{"tag":'], /^rollcall: the criteria is not JSON: /],
    [['contacts', 'find', '--where', 'plan'], /--where takes NAME=VALUE/],
    [['import', terminal.home], /is a directory, and a file is needed/],
    [['lists', 'members', 'Nope'], /there is no list Nope: there are none/],
    [['export', '/nowhere/people.csv'], /^rollcall: the directory of \/nowhere\/people\.csv is not there\n$/],
    [['export', terminal.home, '--format', 'csv'], /is a directory, and a file is needed/],
  ] as const) {
    const refused = await terminal.run([...args])
    assert.equal(refused.code, 1)
    assert.match(refused.err, said)
  }

  await t.test('an import that is interrupted says how to watch or end it', async () => {
    const path = terminal.path('people.csv')
    writeFileSync(path, 'email\nada@example.com\n')
    const { child, ended } = terminal.spawn(['import', path])
    made.app.server.on('request', ({ url }) => {
      if (url?.endsWith('/progress')) child.kill('SIGINT')
    })
    const { code, out, err } = await ended
    assert.deepEqual([code, out], [130, ''])
    assert.match(
      err,
      /^rollcall: import 1 goes on: watch it with "rollcall imports watch 1", end it with "rollcall imports cancel 1"\n$/,
    )
    assert.match((await terminal.run(['imports', 'cancel', '1'])).out, /^Import 1 of people.csv is cancelled/)
  })

  await t.test('one that is interrupted while it is sent has changed nothing', async () => {
    const before = (await made.get('/api/contact_imports')).body.total
    const path = terminal.path('slow.csv')
    execFileSync('mkfifo', [path])
    const { child, ended } = terminal.spawn(['import', path])
    const source = createWriteStream(path) // and never ended
    source.on('error', () => {}) // when nobody reads it any more
    source.write(`email\n${Array.from({ length: 20_000 }, (_, n) => `somebody${n}@example.com\n`).join('')}`)
    made.app.server.on('request', ({ method, url }) => {
      if (method !== 'POST' || !url?.endsWith('/contact_imports')) return
      child.kill('SIGINT')
      // As a pipe's writer is interrupted as well: Node's exit waits for a read of a pipe that nobody ends, if one has just begun.
      setTimeout(() => source.destroy(), 1000)
    })
    const { code, out, err } = await ended
    assert.deepEqual([code, out, err], [130, '', `rollcall: ${path} was not sent as a whole: nothing was imported\n`])
    assert.equal((await made.get('/api/contact_imports')).body.total, before)
  })

  await t.test('a reader that has had enough ends a command in silence', async () => {
    const { child, ended } = terminal.spawn(['completion', 'bash'])
    child.stdout!.destroy()
    const { err } = await ended
    assert.equal(err, '')
  })
})

async function answering(t: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  atEnd(t, () => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
