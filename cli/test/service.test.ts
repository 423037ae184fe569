import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testDatabaseUrl } from '../../server/test/database.ts'
import { freePort } from '../../server/test/program.ts'
import { Terminal } from './terminal.ts'

const LIMIT = { timeout: 280_000 }

test('the doctor finds what is wrong, says what to do, and ends with 1', LIMIT, async (t) => {
  const url = await testDatabaseUrl(t)
  const terminal = new Terminal(t)
  const env = { DATABASE_URL: url, ROLLCALL_HOME: terminal.path('home'), PORT: String(await freePort()) }
  const [sick, well, unset] = await Promise.all([
    terminal.spawn(['doctor', '--json'], { ...env, SMTP_URL: 'smtp://127.0.0.1:1', MAIL_FROM: 'a@example.com' }).ended,
    terminal.spawn(['doctor'], env).ended,
    terminal.spawn(['doctor'], { ...env, PORT: 'x' }).ended,
  ])
  const findings = JSON.parse(sick.out) as { what: string; state: string; cure?: string }[]
  assert.equal(sick.code, 1)
  assert.deepEqual(
    findings.map(({ what, state }) => `${what} ${state}`).filter((line) => !line.startsWith('disk')),
    [
      'configuration ok',
      'directory ok',
      'files ok',
      'database ok',
      'schema ok',
      'clock ok',
      'worker ok',
      'mail fail',
      'API ok',
    ],
  )
  assert.match(findings.find(({ what }) => what === 'mail')!.cure!, /SMTP_URL/)
  assert.deepEqual([well.code, well.err], [0, ''])
  assert.match(well.out, /^ok {4}configuration/)
  assert.deepEqual([unset.code, unset.out.split('\n').length], [1, 4])
  assert.match(unset.out, /^bad {3}configuration.*\n.*PORT must be a whole number[\s\S]*→ mend that/)
})

test('the demonstration fills an account that is there and has no people', LIMIT, async (t) => {
  const terminal = new Terminal(t)
  const env = { DATABASE_URL: await testDatabaseUrl(t), ROLLCALL_HOME: terminal.path('home') }
  const run = (...args: string[]) => terminal.spawn(args, env).ended

  const early = await run('demo')
  assert.deepEqual([early.code, early.err], [1, 'rollcall: there is no account 1\n'])
  const account = await run('account', 'create', 'Main', '--json')
  assert.deepEqual(JSON.parse(account.out), { id: 1, name: 'Main' })
  const made = await run('demo', '--json')
  assert.equal(made.code, 0, made.err)
  const { contacts, lists, was_there } = JSON.parse(made.out)
  assert.deepEqual([contacts, lists, was_there], [5000, 7, false])
  assert.match((await run('demo')).out, /^Account 1 has 5,000 people, 7 lists and [\d,]+ events, as before\.\n$/)
})
