import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { onClient, ownServer } from './own-server.ts'
import { type Program, rollcall, temporaryHome } from './program.ts'
import { receiver, verify } from './receiver.ts'

const server = await ownServer()
const LIMIT = { timeout: 120_000 }
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
