import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { userIn } from '../../server/test/browser.ts'
import { emptyDatabaseUrl, testDatabase } from '../../server/test/database.ts'
import { live } from '../../server/test/live.ts'
import { everyCommand, pathOf, programWith } from '../program.ts'
import { ownSurroundings } from '../surroundings.ts'
import { Terminal } from './terminal.ts'

const LIMIT = { timeout: 280_000 }

/** What has no answer, or one in a form of its own, and where else it is tested. */
const OTHERWISE: Record<string, string> = {
  start: 'runs until it is told to stop',
  completion: 'is a script for a shell: completion.test.ts',
  mcp: 'speaks MCP: mcp.test.ts',
  'mcp approve': 'commands.test.ts',
  'mcp create-list': 'commands.test.ts',
  'imports rejected': 'is a file of CSV: commands.test.ts',
  'migrate-from mailtrap': 'needs another service: migrate-from.test.ts',
  demo: 'service.test.ts',
  doctor: 'service.test.ts',
}

const leaves = everyCommand(programWith(ownSurroundings(), () => {}))
  .filter((command) => command.commands.length === 0 || command.name() === 'mcp')
  .map((command) => pathOf(command).split(' ').slice(1).join(' '))

/** Longest first: `lists add` is no `lists`. */
const byLength = leaves.toSorted((one, other) => other.length - one.length)

const seen = new Set(Object.keys(OTHERWISE))

function note(line: readonly string[]): void {
  const command = byLength.find((path) => `${line.join(' ')} `.startsWith(`${path} `))
  seen.add(command ?? assert.fail(`${line.join(' ')} is no command`))
}

test('--json prints JSON and nothing else, for every command by the API', LIMIT, async (t) => {
  const made = await live(t, { WEBHOOK_ALLOW_PRIVATE: 'true' })
  const terminal = new Terminal(t, { ROLLCALL_URL: made.origin, ROLLCALL_TOKEN: made.token })
  // biome-ignore lint/suspicious/noExplicitAny: what a test reads from an answer is checked by the test
  const json = async (...line: string[]): Promise<any> => {
    note(line)
    const { code, out, err } = await terminal.run([...line, '--json'])
    assert.deepEqual([code, err], [0, ''], line.join(' '))
    return JSON.parse(out)
  }

  const person = 'ada@example.com'
  await json('contacts', 'create', person, '--field', 'plan=Pro')
  for (const line of ['find ada', `get ${person}`, `update ${person} --tag vip`, `timeline ${person}`])
    await json('contacts', ...line.split(' '))
  await json('contacts', 'explain', person, '--criteria', '{"plan":"Pro"}')
  await json('segments', 'preview', '{"plan":"Pro"}')
  await json('lists', 'create', 'News')
  for (const line of ['list', 'get News', 'update News --description weekly', `add News ${person}`, 'members News'])
    await json('lists', ...line.split(' '))
  await json('lists', 'remove', 'News', person)
  await json('lists', 'delete', 'News', '--yes')
  await json('fields', 'create', 'Seats', '--type', 'integer')
  for (const line of ['list', 'get seats', 'update seats --name Places', 'delete seats --yes'])
    await json('fields', ...line.split(' '))

  writeFileSync(terminal.path('people.csv'), 'email\ngrace@example.com\n')
  const tried = await json('import', terminal.path('people.csv'), '--dry-run')
  const id = String(tried.id)
  await json('changes', 'diff', id)
  await json('changes', 'apply', id, '--yes')
  for (const line of [`get ${id}`, `watch ${id}`, 'list']) await json('imports', ...line.split(' '))
  for (const line of [`get ${id}`, 'list', `revert ${id} --yes`]) await json('changes', ...line.split(' '))
  for (const what of ['apply', 'cancel']) {
    const waits = await json('import', terminal.path('people.csv'), '--dry-run')
    await json('imports', what, String(waits.id))
  }

  await json('export', terminal.path('all.csv'))
  note(['events'])
  const { out } = await terminal.run(['events', '--json'])
  assert.ok(
    out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)).length > 3,
  )

  const hook = await json('webhooks', 'create', 'http://127.0.0.1:1/hook')
  const hooks = (what: string, ...more: string[]) => json('webhooks', what, String(hook.id), ...more)
  await json('webhooks', 'list')
  await hooks('test')
  const [delivery] = await hooks('deliveries')
  await hooks('redeliver', String(delivery.id))
  for (const what of ['get', 'disable', 'enable', 'rotate-secret']) await hooks(what)
  await hooks('replay', '--after', 'start')
  await hooks('delete', '--yes')

  await json('suppressions', 'add', 'no@example.com')
  const [kept] = await json('suppressions', 'list')
  await json('suppressions', 'remove', String(kept.id))
  await json('templates', 'create', 'hello', '--subject', 'Hi', '--html', '<p>Hi</p>', '--text', 'Hi')
  for (const line of [
    'list',
    'get hello',
    'update hello --subject Ho',
    `preview hello ${person}`,
    'delete hello --yes',
  ])
    await json('templates', ...line.split(' '))
  await json('erase', person, '--yes')
  await json('contacts', 'create', 'bob@example.com')
  await json('contacts', 'delete', 'bob@example.com', '--yes')
  await json('login', '--url', made.origin, '--token', made.token, '--profile', 'mine')
  await json('profiles')
  await json('logout', '--profile', 'mine')
})

test("the same, for every command on the service's own machine", LIMIT, async (t) => {
  const terminal = new Terminal(t)
  const db = await testDatabase(t)
  const env = {
    DATABASE_URL: db.url,
    ROLLCALL_HOME: terminal.path('home'),
    ROLLCALL_SECRET: 'a-key-that-only-this-test-knows-0123456789',
  }
  const own = async (line: string, given: Record<string, string> = env) => {
    note(line.split(' '))
    const { code, out, err } = await terminal.spawn([...line.split(' '), '--json'], given).ended
    assert.deepEqual([code, err], [0, ''], line)
    return JSON.parse(out)
  }
  await own('migrate')
  await own('account create Main')
  const { id } = await own('token create')
  await own('user invite bob@example.com --role admin')
  await userIn(db, 'ann@example.com', { 1: 'editor' })
  await Promise.all([own('account list'), own('token list'), own('user list')])
  await own(`token revoke ${id}`)
  const archive = terminal.path('all.backup')
  await own(`backup ${archive}`)
  await own(`restore ${archive}`, { ...env, DATABASE_URL: await emptyDatabaseUrl(t) })
  await own('user reset-password ann@example.com')
  await own('user remove ann@example.com')
})

test('no command was left out', () => {
  assert.deepEqual([...seen].sort(), leaves.toSorted())
})
