import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { RouteOptions } from 'fastify'
import sql from 'sql-template-tag'
import type { Database } from '../db/database.ts'
import { type TestApp, testApp } from './app.ts'

export const JSON_TYPE = { 'content-type': 'application/json' }

/** How much there is of everything: what a refused request must leave as it was. */
export async function footprint(db: Database): Promise<string> {
  const [row] = await db.query<{ all: string }>(sql`
    select concat_ws(' ',
      (select count(*) from contacts), (select string_agg(row_to_json(c)::text, ',' order by id) from contacts as c),
      (select string_agg(row_to_json(f)::text, ',' order by id) from fields as f),
      (select string_agg(row_to_json(l)::text, ',' order by id) from lists as l),
      (select count(*) from list_members), (select count(*) from events), (select count(*) from outbox),
      (select count(*) from change_sets), (select count(*) from change_rows), (select count(*) from consents),
      (select string_agg(row_to_json(w)::text, ',' order by id) from webhooks as w), (select count(*) from deliveries),
      (select count(*) from imports), (select count(*) from exports),
      (select string_agg(row_to_json(a)::text, ',' order by id) from accounts as a)) as all`)
  return row!.all
}

/** An account with someone in a list, with a few fields. */
export async function inhabited(t: TestContext, settings: Record<string, string> = {}, routes: RouteOptions[] = []) {
  const made = await testApp(t, settings, undefined, (route) => routes.push(route))
  await made.post('/api/contact_fields', { name: 'age', type: 'number' })
  await made.post('/api/contact_fields', { name: 'plan', type: 'select', options: ['Free', 'Pro'] })
  const { id } = (await made.post('/api/contacts', { email: 'ann@example.com', external_id: 'a1', fields: { age: 3 } }))
    .body.data
  const list = (await made.post('/api/contact_lists', { name: 'Members' })).body
  await made.post(`/api/contact_lists/${list.id}/contacts`, { contact_ids: [id] })
  return { ...made, id: id as string, listId: list.id as number }
}

export interface Refusal {
  method?: string
  url?: string
  /** Text is sent as it is, all else as JSON. */
  body?: unknown
  headers?: Record<string, string>
  status?: number
  /** Under which key the messages stand; undefined: `errors` is one text. */
  place?: string
  says: RegExp
}

/** Each request is refused, says where and what, and nothing is changed by it. */
export async function refuseAll(made: TestApp, refusals: Record<string, Refusal>): Promise<void> {
  const before = await footprint(made.db)
  for (const [name, { method = 'POST', url = '/api/contacts', body, headers, status, place, says }] of Object.entries(
    refusals,
  )) {
    const payload = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
    const answer = await made.call(method, url, payload, { ...(body === undefined ? {} : JSON_TYPE), ...headers })
    const told = `${name}: ${answer.status} ${JSON.stringify(answer.body).slice(0, 300)}`
    assert.equal(answer.status, status ?? 422, told)
    const { errors = answer.body.error } = answer.body
    const text = place === undefined ? errors : Object.hasOwn(errors, place) ? errors[place].join('; ') : undefined
    assert.equal(typeof text, 'string', told)
    assert.match(text, says, told)
    assert.equal(await footprint(made.db), before, `${name} changed something`)
  }
}
