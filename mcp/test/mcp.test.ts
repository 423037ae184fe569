import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { rollcall } from '../../sdk/src/rollcall.ts'
import { atEnd } from '../../server/test/database.ts'
import { live } from '../../server/test/live.ts'
import { enterMany } from '../../server/test/people.ts'
import { rollcall as run } from '../../server/test/program.ts'
import { bounded } from '../answer.ts'
import { listenHttp } from '../http.ts'
import { approve } from '../writing.ts'

const COMMAND = join(import.meta.dirname, '../../cli/rollcall.js')

type Live = Awaited<ReturnType<typeof live>>

async function withPeople(t: TestContext): Promise<Live> {
  const made = await live(t)
  await made.post('/api/contact_fields', { name: 'Plan', merge_tag: 'plan', type: 'select', options: ['Free', 'Pro'] })
  for (const [nth, name] of ['ann', 'bob', 'cleo'].entries())
    await made.post('/api/contacts', { email: `${name}@example.com`, fields: { plan: nth === 0 ? 'Free' : 'Pro' } })
  await made.post('/api/contact_lists', { name: 'Pros', criteria: { plan: 'Pro' } })
  await made.post('/api/contact_lists', { name: 'Static' })
  return made
}

/** The official client, with a server that it has started itself. */
async function overStdio(t: TestContext, { origin, token }: Live, ...args: string[]): Promise<Client> {
  const env = { PATH: process.env.PATH ?? '', ROLLCALL_URL: origin, ROLLCALL_TOKEN: token }
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [COMMAND, 'mcp', ...args],
    env,
    stderr: 'inherit',
  })
  const client = new Client({ name: 'test', version: '1' })
  await client.connect(transport as Parameters<typeof client.connect>[0])
  atEnd(t, () => client.close())
  return client
}

// biome-ignore lint/suspicious/noExplicitAny: what a test reads from an answer is checked by the test
async function use(client: Client, name: string, given: object = {}): Promise<any> {
  const { isError, content } = await client.callTool({ name, arguments: { ...given } })
  const [{ text }] = content as [{ text: string }]
  return isError ? { error: text } : JSON.parse(text)
}

test('a model finds its way over stdio, and what it writes is proposed', async (t) => {
  const made = await withPeople(t)
  const client = await overStdio(t, made)

  const { tools } = await client.listTools()
  const does = Object.fromEntries(tools.map(({ name, annotations }) => [name, annotations?.readOnlyHint]))
  assert.deepEqual(does, {
    ...{
      search_contacts: true,
      get_contact: true,
      explain_contact: true,
      contact_timeline: true,
      preview_segment: true,
    },
    ...{ list_fields: true, list_lists: true, list_changes: true, get_change: true },
    ...{ create_smart_list: false, bulk_change: false, import_contacts: false },
  })
  assert.ok(tools.every(({ description }) => description!.length > 60))
  assert.match(client.getInstructions()!, /proposals/)

  const found = await use(client, 'search_contacts', { criteria: { plan: 'Pro' }, limit: 1 })
  assert.deepEqual([found.total, found.contacts.length, typeof found.next_cursor], [2, 1, 'string'])
  const more = await use(client, 'search_contacts', { criteria: { plan: 'Pro' }, limit: 1, cursor: found.next_cursor })
  assert.notEqual(more.contacts[0].id, found.contacts[0].id)
  assert.equal((await use(client, 'get_contact', { contact: 'ann@example.com' })).contact.fields.plan, 'Free')
  assert.equal((await use(client, 'preview_segment', { criteria: { plan: 'Pro' } })).count, 2)
  const { lists } = await use(client, 'list_lists')
  const idOf = (name: string) => lists.find((list: { name: string }) => list.name === name).id
  const why = await use(client, 'explain_contact', { contact: 'ann@example.com', list_id: idOf('Pros') })
  assert.deepEqual([why.matches, JSON.stringify(why.explanation).includes('Free')], [false, true])
  assert.match(
    (await use(client, 'explain_contact', { contact: 'ann@example.com', list_id: idOf('Static') })).explanation,
    /static/,
  )
  await made.post('/api/contacts/ann@example.com/unsubscribe')
  await made.post('/api/suppressions', { entries: ['example.com'] })
  const may = await use(client, 'explain_contact', { contact: 'ann@example.com' })
  assert.deepEqual([may.sendable.allowed, may.suppressions.length, may.consents[0].action], [false, 1, 'withdrawn'])
  const { events } = await use(client, 'contact_timeline', { contact: 'ann@example.com', types: ['unsubscribed'] })
  assert.deepEqual(
    events.map((event: { type: string }) => event.type),
    ['unsubscribed'],
  )
  assert.ok(
    (await use(client, 'list_fields')).fields.some((field: { merge_tag: string }) => field.merge_tag === 'plan'),
  )

  const bulk = await use(client, 'bulk_change', {
    selection: { criteria: { plan: 'Pro' } },
    action: { type: 'add_tags', tags: ['vip'] },
  })
  assert.deepEqual([bulk.change.phase, bulk.change.counts.updated], ['ready', 2])
  const seen = await use(client, 'get_change', { id: bulk.change.id })
  assert.deepEqual(
    seen.diff.map((row: { after: object }) => row.after),
    [{ tags: ['vip'] }, { tags: ['vip'] }],
  )
  assert.equal((await made.get('/api/contacts?tag=vip')).body.total, 0)
  const list = await use(client, 'create_smart_list', { name: "It's smart", criteria: { plan: 'Free' } })
  assert.deepEqual([list.count, (await made.get('/api/contact_lists')).body.length], [1, 2])
  const rows = [
    { email: 'dora@example.com', fields: { plan: 'Pro' } },
    { email: 'ann@example.com', fields: { plan: 'Pro' } },
  ]
  const tried = await use(client, 'import_contacts', { contacts: rows })
  assert.deepEqual(
    [tried.import.phase, tried.import.created_contacts_count, tried.import.updated_contacts_count],
    ['ready', 1, 1],
  )
  const csv = await use(client, 'import_contacts', { csv: 'email,plan\nnot one,Pro\nemil@example.com,Free\n' })
  assert.deepEqual([csv.import.created_contacts_count, csv.import.rejected_rows_count], [1, 1])
  assert.equal((await made.get('/api/contacts')).body.total, 3)
  const waiting = await use(client, 'list_changes')
  assert.equal(waiting.changes.filter((change: { phase: string }) => change.phase === 'ready').length, 3)

  const env = { ROLLCALL_URL: made.origin, ROLLCALL_TOKEN: made.token }
  const approved = (...args: string[]) => run('', ['mcp', ...args], env).ended
  const asked = await approved('approve', String(bulk.change.id))
  assert.deepEqual([asked.code, asked.err], [1, 'rollcall: nothing was applied: say --yes\n'])
  const done = await approved('approve', String(bulk.change.id), '--yes')
  assert.deepEqual([done.code, done.out], [0, `bulk ${bulk.change.id} is finished: 2 updated, 2 selected\n`])
  assert.equal((await made.get('/api/contacts?tag=vip')).body.total, 2)
  const person = { client: rollcall({ url: made.origin, token: made.token }) }
  await approve(person, tried.import.id)
  assert.equal((await made.get('/api/contacts')).body.total, 4)
  await assert.rejects(approve(person, bulk.change.id), /waits for no approval/)
  const again = await approved('approve', String(bulk.change.id), '--yes')
  assert.deepEqual([again.code, /\(bulk, finished\) waits for no approval/.test(again.err)], [1, true])
  const body = list.command.slice("rollcall mcp create-list '".length, -1).replaceAll("'\\''", "'")
  assert.equal((await approved('create-list', body)).code, 0)
  assert.ok((await made.get('/api/contact_lists')).body.some((one: { name: string }) => one.name === "It's smart"))

  await enterMany(made, 10_001)
  const many = await use(client, 'search_contacts', { tag: 'many', limit: 1 })
  assert.deepEqual([many.total, many.total_is_capped, many.contacts.length], [10_000, true, 1])
  assert.equal((await use(client, 'preview_segment', { criteria: { tag: 'many' } })).count, 10_001)
})

test('what is wrong is said in plain words, as an error of the tool', async (t) => {
  const made = await withPeople(t)
  const client = await overStdio(t, made)

  assert.match((await use(client, 'get_contact', { contact: 'nobody@example.com' })).error, /no such contact/)
  assert.match((await use(client, 'preview_segment', { criteria: { paln: 'Pro' } })).error, /paln/)
  assert.match((await use(client, 'preview_segment', {})).error, /criteria/)
  assert.match((await use(client, 'search_contacts', { limit: 1000 })).error, /50/)
  assert.match((await use(client, 'search_contacts', { filter: 'x' })).error, /filter/)
  assert.match((await use(client, 'import_contacts', {})).error, /either contacts or csv/)
  assert.match((await use(client, 'apply_change', { id: 1 })).error, /not found/i)
  const lost = await overStdio(t, { ...made, origin: 'http://127.0.0.1:9' })
  assert.match((await use(lost, 'list_fields')).error, /reach|refused|connect/i)
})

test('over HTTP each request brings its token; with --write things are done', async (t) => {
  const made = await withPeople(t)
  const server = await listenHttp({ url: made.origin, write: true, version: '1', port: 0, host: '127.0.0.1' })
  atEnd(t, () => {
    server.closeAllConnections()
    server.close()
  })
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`)
  const connect = async (token: string) => {
    const transport = new StreamableHTTPClientTransport(url, {
      requestInit: { headers: { authorization: `Bearer ${token}` } },
    })
    const client = new Client({ name: 'test', version: '1' })
    await client.connect(transport as Parameters<typeof client.connect>[0])
    atEnd(t, () => client.close())
    return client
  }
  const client = await connect(made.token)
  const stranger = await connect((await made.another()).token)

  const action = { type: 'add_tags', tags: ['vip'] }
  const { change } = await use(client, 'bulk_change', { selection: { criteria: { email: 'ann@example.com' } }, action })
  assert.deepEqual([change.phase, change.counts.updated], ['finished', 1])
  const tried = await use(client, 'import_contacts', { contacts: [{ email: 'dora@example.com' }] })
  assert.equal(tried.import.phase, 'ready')
  assert.equal((await use(client, 'apply_change', { id: tried.import.id })).import.phase, 'finished')
  assert.equal(
    (await use(client, 'create_smart_list', { name: 'Free', criteria: { plan: 'Free' } })).list.type,
    'smart',
  )
  assert.equal((await use(client, 'search_contacts')).total, 4)
  assert.equal((await use(stranger, 'search_contacts')).total, 0, 'each sees their own account')
  const nobody = await connect('rc_wrong')
  assert.match((await use(nobody, 'search_contacts')).error, /Incorrect API token/)

  const post = (headers: Record<string, string>, body = '{}') =>
    fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body })
  const bearer = { authorization: `Bearer ${made.token}` }
  assert.equal((await post({})).status, 401)
  assert.equal((await post({ ...bearer, origin: 'https://example.com' })).status, 403)
  assert.equal((await post(bearer, 'no JSON')).status, 400)
  assert.equal((await post(bearer, `"${'x'.repeat(5 * 2 ** 20)}"`)).status, 400)
  assert.equal((await fetch(url, { headers: bearer })).status, 405)
  assert.equal((await fetch(new URL('/', url), { headers: bearer })).status, 404)
})

test('an answer is never longer than a model can read, and says what was left out', () => {
  const long = { total: 3000, contacts: Array.from({ length: 3000 }, (_, nth) => ({ nth, text: 'x'.repeat(2000) })) }
  const text = bounded(long)
  assert.ok(text.length <= 20_000)
  const read = JSON.parse(text)
  assert.equal(read.contacts[0].text.length, 501)
  assert.match(read.left_out, /^29\d\d items/)
  assert.deepEqual(JSON.parse(bounded({ a: [1] })), { a: [1] })
  assert.ok(
    bounded({ a: Object.fromEntries(Array.from({ length: 999 }, (_, nth) => [nth, 'y'.repeat(99)])) }).length < 20_100,
  )
})
