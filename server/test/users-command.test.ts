import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testDatabaseUrl } from './database.ts'
import { rollcall, temporaryHome } from './program.ts'

test('rollcall user lets people in, sets passwords anew, and lets them out', async (t) => {
  const url = await testDatabaseUrl(t)
  const home = temporaryHome(t)
  const env = { DATABASE_URL: url, ROLLCALL_SECRET: 'a-secret-that-only-tests-know-0123456789' }
  const run = async (...args: string[]) => rollcall(home, ['user', ...args], env).ended
  const server = rollcall(home, ['start'], { ...env, PORT: '0' })
  const address = await server.ready()
  const post = (path: string, body: object) =>
    fetch(`${address}/api/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-rollcall-ui': '1' },
      body: JSON.stringify(body),
    })
  const token = (link: string) => link.trim().split('#')[1]

  const invited = await run('invite', 'Ann@Example.com', '--role', 'admin', '--pages', address)
  assert.match(invited.out, new RegExp(`^${address}/setup#`), invited.err)
  const made = await post('setup', { token: token(invited.out), name: 'Ann', password: 'a long enough password' })
  assert.equal(made.status, 201, await made.text())
  assert.match((await run('list')).out, /ann@example\.com +Ann +admin/)

  const reset = await run('reset-password', 'ann@example.com', '--pages', address)
  assert.equal((await post('setup', { token: token(reset.out), password: 'another long password' })).status, 201)
  assert.equal((await post('session', { email: 'ann@example.com', password: 'a long enough password' })).status, 401)
  const signedIn = await post('session', { email: 'ann@example.com', password: 'another long password' })
  assert.equal(signedIn.status, 201)
  const cookie = signedIn.headers.get('set-cookie')!.split(';')[0]!
  const log = (await (await fetch(`${address}/api/accounts/1/audit`, { headers: { cookie } })).json()) as {
    data: { actor: string; action: string }[]
  }
  assert.deepEqual(
    log.data.filter(({ actor }) => !actor.startsWith('user:')).map(({ actor, action }) => `${actor}: ${action}`),
    ['command line: password_reset_link_made', 'command line: user_invited', 'system: token_created'],
  )

  const nobody = await run('reset-password', 'bob@example.com')
  assert.deepEqual([nobody.code, nobody.err.includes('nobody with the address bob@example.com')], [1, true])
  const last = await run('remove', 'ann@example.com')
  assert.deepEqual([last.code, /must keep an administrator/.test(last.err)], [1, true])
  server.child.kill('SIGTERM')
  assert.equal((await server.ended).code, 0)
})
