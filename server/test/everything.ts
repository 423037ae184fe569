import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import sql from 'sql-template-tag'
import type { Database } from '../db/database.ts'
import { dispatched, type TestApp, testApp } from './app.ts'
import { imported, run, sent } from './imports.ts'
import { runJobs } from './jobs.ts'
import { pathOf } from './permission.ts'
import { receiver } from './receiver.ts'
import { summedUp } from './summed-up.ts'
import { sendAll } from './webhooks.ts'

export const EMAIL = 'mara.lindqvist@example.com'
export const OLD_EMAIL = 'mara.old@example.com'
/** Texts that say who it is: none of them may be found anywhere once she is gone. */
export const TRACES = ['mara.lindqvist', 'mara.old', 'Lindqvist', 'crm-4711', 'Bergen harbour', 'very-personal']

export interface Column {
  table: string
  column: string
}

/** Every column of a kind in the tables that we have made, partitions aside. */
export function columns(db: Database, types: string[], name?: string): Promise<Column[]> {
  return db.query<Column>(sql`
    select c.oid::regclass::text as table, a.attname as column
    from pg_class as c join pg_namespace as n on n.oid = c.relnamespace join pg_attribute as a on a.attrelid = c.oid
    where n.nspname in ('public', 'pgboss') and c.relkind in ('r', 'p') and not c.relispartition
      and a.attnum > 0 and not a.attisdropped and format_type(a.atttypid, null) = any(${types})
      and (${name ?? null}::text is null or a.attname = ${name ?? null}::text)
    order by 1, 2`)
}

/** Someone who stands in every table there is for a contact: all of it through the API. */
export async function withEverything(t: TestContext): Promise<TestApp & { id: string }> {
  const made = await testApp(t, { WEBHOOK_ALLOW_PRIVATE: 'true' })
  const { post, patch, del, get, call } = made
  const url = (await receiver(t)).at('/echo', 'echo') // whose answers quote what they were sent
  assert.equal((await post('/api/webhooks', { url, each: true })).status, 201)
  assert.equal((await post('/api/views', { name: 'Customers', criteria: { tag: 'x' } })).status, 201)
  const lists: number[] = []
  for (const name of ['News', 'Offers', 'Merged'])
    lists.push((await post('/api/contact_lists', { name })).body.id as number)
  const body = {
    email: OLD_EMAIL,
    external_id: 'crm-4711',
    fields: { first_name: 'Mara', last_name: 'Lindqvist', place: 'Bergen harbour', gone: 'very-personal', level: '7' },
    tags: ['very-personal'],
    list_ids: [lists[0]],
  }
  const created = await call('POST', '/api/contacts', body, { 'idempotency-key': 'k1' })
  assert.equal(created.status, 201, JSON.stringify(created.body))
  const { id } = created.body.data
  const other = (await post('/api/contacts', { email: 'someone.else@example.com' })).body.data.id
  await patch(`/api/contacts/${id}`, { email: EMAIL, tags: ['very-personal', 'x'] })
  await patch(`/api/contacts/${id}`, { unsubscribed: true })
  assert.equal((await post(`/api/contacts/${id}/resubscribe`, { send_confirmation: true })).status, 200)
  await patch(`/api/contacts/${id}`, { unsubscribed: false })
  await post(`/api/contacts/${id}/events`, { name: 'signed', params: { where: 'Bergen harbour', who: EMAIL } })
  await post(`/api/contact_lists/${lists[1]}/contacts`, { contact_ids: [EMAIL, other, 'ext:crm-4711x'] })
  await post(`/api/contact_lists/${lists[2]}/merge`, { list_ids: [lists[1]] })
  await del(`/api/contact_lists/${lists[2]}/contacts/${id}`)
  await del(`/api/contact_lists/${lists[2]}/contacts`, { contact_ids: [other] })
  await patch('/api/contacts/batch', { contact_ids: [EMAIL, other], tags_added: ['y'], fields: { company: 'Acme' } })
  const file = `email,place,gone\n${EMAIL},Bergen harbour 2,very-personal 2\nnew@example.com,Oslo,\n`
  await imported(made, file, { update_existing: 'true', list_id: String(lists[0]) }, 'members.csv')
  await imported(made, file, { dry_run: 'true' }, 'members.csv')
  // Behind chunks that have changed nobody, of which there are two at once, the unchanged are merged the short way.
  await imported(made, 'email\nada@example.com\nbea@example.com\n')
  const same = await sent(made, `email\nada@example.com\nbea@example.com\n${EMAIL}\n`, { update_existing: 'true' })
  await run(made, same.id, { chunkRows: 1 })
  const bulk = await post('/api/contacts/bulk', { selection: { q: 'mara' }, action: { type: 'add_tags', tags: ['z'] } })
  assert.equal(bulk.status, 201, JSON.stringify(bulk.body))
  await made.runJobs()
  await post(`/api/change_sets/${bulk.body.id}/revert`)
  await made.runJobs()
  const fields = (await get('/api/contact_fields')).body as { id: number; merge_tag: string }[]
  const idOf = (tag: string) => fields.find((field) => field.merge_tag === tag)!.id
  assert.equal((await post(`/api/contact_fields/${idOf('level')}/convert`, { type: 'number' })).status, 200)
  assert.equal((await del(`/api/contact_fields/${idOf('gone')}`)).status, 204)
  await runJobs(made.db)
  assert.equal((await post('/api/contact_lists', { name: 'Smart', criteria: { tag: ['x', 'y'] } })).status, 200)
  const hook = (await post('/api/provider_hooks', { provider: 'generic' })).body.url as string
  const told = { email: EMAIL, at: new Date().toISOString(), reason: 'very-personal' }
  const events = [
    { ...told, id: 'b1', type: 'bounced', bounce: 'soft' },
    { ...told, id: `c1 ${EMAIL}`, type: 'complained' },
  ]
  assert.equal((await post(pathOf(hook), events)).body.recorded, 2)
  assert.equal((await post(`/api/contacts/${id}/resubscribe`, { send_confirmation: false })).status, 200)
  await summedUp(made.db, made.accountId)
  await dispatched(made.db)
  await sendAll(made.db)
  return { ...made, id }
}
