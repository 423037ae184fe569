import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { type Answer, type TestApp, testApp } from '../../test/app.ts'
import { person, took } from '../../test/imports.ts'
import { latestMail, pathOf, press } from '../../test/permission.ts'

const ANN = 'ann@example.com'

const linkOf = async ({ call }: Pick<TestApp, 'call'>, contact = ANN): Promise<string> =>
  pathOf((await call('GET', `/api/contacts/${contact}/links`)).body.preferences_url)

const requestIn = async (made: TestApp): Promise<string> =>
  pathOf(/https?:\S+\/request\/\S+/.exec((await latestMail(made, ANN)).text)![0])

/** What a browser sends of the page as it stands, with other boxes ticked and other values. */
async function save(
  made: TestApp,
  url: string,
  { lists, fields = {} }: { lists: number[]; fields?: Record<string, string> },
): Promise<Answer> {
  const page = (await made.app.inject(url)).body
  const values = new URLSearchParams({ what: 'save' })
  for (const [, shown] of page.matchAll(/name="shown" value="([^"]+)"/g)) values.append('shown', shown!)
  for (const id of lists) values.append('list', String(id))
  for (const [tag, value] of Object.entries(fields)) values.append(`fields[${tag}]`, value)
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const response = await made.app.inject({ method: 'POST', url, headers, payload: values.toString() })
  return { status: response.statusCode, body: response.body, headers: response.headers }
}

async function withLists(made: TestApp): Promise<{ news: number; offers: number; hidden: number }> {
  const make = async (name: string, more: object) => (await made.post('/api/contact_lists', { name, ...more })).body.id
  const news = await make('internal-1', { public: true, public_name: 'Our <News>', public_description: 'Each "week"' })
  return { news, offers: await make('Offers', { public: true }), hidden: await make('Hidden', {}) }
}

test('people see their public lists and editable fields, and change them; looking changes nothing', async (t) => {
  const made = await testApp(t)
  const { post, patch, get } = made
  const { news, offers, hidden } = await withLists(made)
  await patch('/api/account', { name: 'Bäcker', color: '#116611' })
  const fields = (await get('/api/contact_fields')).body as { id: number; merge_tag: string }[]
  await patch(`/api/contact_fields/${fields[0]!.id}`, { editable: true })
  await post('/api/contact_fields', { name: 'Age', type: 'integer', max: 150, editable: true })
  await post('/api/contact_fields', { name: 'Vegan', type: 'boolean', editable: true })
  const given = { first_name: '"><script>', last_name: 'Secret' }
  await post('/api/contacts', { email: ANN, list_ids: [news, hidden], fields: given })
  const url = await linkOf(made)
  const before = await person(made, ANN)

  const page = await made.app.inject({ url, headers: { 'accept-language': 'en' } })

  assert.equal(page.statusCode, 200)
  assert.match(page.body, />Our &lt;News&gt;</)
  assert.match(page.body, new RegExp(`name="list" value="${news}" checked`))
  assert.match(page.body, new RegExp(`name="list" value="${offers}">`))
  assert.match(page.body, /Each &quot;week&quot;/)
  assert.match(page.body, /value="&quot;&gt;&lt;script&gt;"/)
  assert.doesNotMatch(page.body, /<script|Hidden|Secret|internal-1/)
  assert.match(String(page.headers['content-security-policy']), /frame-ancestors 'none'/)
  assert.deepEqual(await person(made, ANN), before)

  const wrong = await save(made, url, { lists: [], fields: { first_name: 'Ann', age: '200' } })
  assert.equal(wrong.status, 422)
  assert.match(wrong.body, /id="fields-age--problem"/)
  assert.deepEqual(await person(made, ANN), before, 'all of it or nothing')

  const saved = await save(made, url, { lists: [offers, hidden], fields: { first_name: 'Ann', age: '41' } })
  assert.equal(saved.status, 200, saved.body)
  assert.match(saved.body, /role="status">Saved\./)
  const now = await person(made, ANN)
  assert.deepEqual(
    [now.list_ids, now.fields],
    [[offers, hidden].sort(), { first_name: 'Ann', last_name: 'Secret', age: 41 }],
  )
  const words = (await get(`/api/contacts/${ANN}/consents`)).body.data as Record<string, unknown>[]
  assert.deepEqual(
    words.map(({ action, source, grade, list_id }) => `${action} ${source} ${grade} ${list_id}`).sort(),
    [
      `granted api asserted null`,
      `granted preferences_page observed ${offers}`,
      `withdrawn preferences_page observed ${news}`,
    ],
  )
  await save(made, url, { lists: [offers], fields: { first_name: '', age: '41', vegan: 'true' } })
  assert.deepEqual((await person(made, ANN)).fields, { last_name: 'Secret', age: 41, vegan: true })
})

test('what was left there is left, whatever others do, until the person joins it again', async (t) => {
  const made = await testApp(t)
  const { post, patch } = made
  const { news, offers } = await withLists(made)
  await post('/api/contacts', { email: ANN, list_ids: [news] })
  const url = await linkOf(made)
  await save(made, url, { lists: [] })

  await patch(`/api/contacts/${ANN}`, { list_ids_included: [news] })
  await post(`/api/contact_lists/${news}/contacts`, { contact_ids: [ANN] })
  await took(made, `email\n${ANN}\n`, { list_id: String(news), update_existing: 'true' })
  await post(`/api/contact_lists/${offers}/contacts`, { contact_ids: [ANN] })
  await post(`/api/contact_lists/${news}/merge`, { list_ids: [offers] })
  assert.deepEqual((await person(made, ANN)).list_ids, [])

  await save(made, url, { lists: [news] })
  assert.deepEqual((await person(made, ANN)).list_ids, [news])
  await save(made, url, { lists: [news] })
  const events = (await made.get(`/api/contacts/${ANN}/events?types=list_added`)).body.data
  assert.deepEqual(events[0].data, { opted_in: [news], lists: { added: [news] } })
})

test('who is in a smart list leaves it there, and may take that back', async (t) => {
  const made = await testApp(t)
  const { post } = made
  const smart = (await post('/api/contact_lists', { name: 'VIP', criteria: { tag: 'vip' }, public: true })).body.id
  await post('/api/contacts', { email: ANN, tags: ['vip'] })
  await post('/api/contacts', { email: 'bob@example.com' })
  const url = await linkOf(made)
  const members = async () => (await made.get(`/api/contact_lists/${smart}/contacts`)).body.total

  assert.doesNotMatch((await made.app.inject(await linkOf(made, 'bob@example.com'))).body, /VIP/)
  await save(made, url, { lists: [] })
  assert.equal(await members(), 0)
  assert.match((await made.app.inject(url)).body, /VIP/)
  await save(made, url, { lists: [smart] })
  assert.equal(await members(), 1)
})

test('people leave all mail there, and come back by a mail', async (t) => {
  const made = await testApp(t)
  await made.post('/api/contacts', { email: ANN })
  const url = await linkOf(made)

  const left = await press(made, url, 'unsubscribe')
  assert.match(left.body, /role="status">You are unsubscribed from all mail of First/)
  assert.equal((await person(made, ANN)).state, 'unsubscribed')
  const asked = await press(made, url, 'resubscribe')
  assert.match(asked.body, /inbox/)
  assert.equal((await person(made, ANN)).state, 'unsubscribed', 'asking gives nothing')
  assert.equal((await latestMail(made, ANN)).template, 'confirm_subscription')
  await made.post('/api/suppressions', { entries: [ANN] })
  assert.match((await press(made, url, 'resubscribe')).body, /role="alert">No mail can be sent/)
  assert.equal((await press(made, url, 'nonsense')).status, 200)
})

test('a link shows whoever has the address, and no other', async (t) => {
  const made = await testApp(t)
  const other = await made.another()
  for (const tenant of [made, other]) await tenant.call('POST', '/api/contacts', { email: ANN })
  const [url, foreign] = [await linkOf(made), (await linkOf(other)).replace(/\/\d+-/, `/${made.accountId}-`)]
  const unsubscribe = pathOf((await made.get(`/api/contacts/${ANN}/links`)).body.unsubscribe_url)
  const wrong = [
    foreign,
    url.slice(0, -1),
    `${url}x`,
    '/preferences/x',
    unsubscribe.replace('unsubscribe', 'preferences'),
    url.replace('preferences', 'unsubscribe'),
    `/request/${made.accountId}-${'a'.repeat(43)}`,
  ]
  await made.patch(`/api/contacts/${ANN}`, { email: 'new@example.com' })
  wrong.push(url)

  const answers = await Promise.all(
    wrong.flatMap((path) => [made.app.inject(path), made.app.inject({ method: 'POST', url: path })]),
  )
  assert.deepEqual(new Set(answers.map(({ statusCode }) => statusCode)), new Set([404]))
  assert.equal(new Set(answers.map(({ body }) => body)).size, 1, 'none says what is wrong')
  await made.post('/api/contacts', { email: ANN })
  assert.equal((await made.app.inject(url)).statusCode, 200)
})

test('who asks for their data gets it by a mailed link, for a day, also after they have left', async (t) => {
  const made = await testApp(t)
  await made.post('/api/contacts', { email: ANN, fields: { first_name: 'Ann' } })
  const url = await linkOf(made)
  await press(made, url, 'export')
  await press(made, url, 'unsubscribe')
  const link = await requestIn(made)

  const page = await made.app.inject(link)
  assert.match(page.body, /everything that First holds about you/)
  assert.doesNotMatch(page.body, /ann@/)
  const file = await made.app.inject({ method: 'POST', url: link })
  assert.equal(file.statusCode, 200)
  assert.match(String(file.headers['content-disposition']), /^attachment/)
  assert.equal(file.headers['cache-control'], 'no-store')
  assert.equal(file.json().contact.email, ANN)
  assert.equal((await made.app.inject(link.replace('/request/', '/confirm/'))).statusCode, 404, 'it subscribes nobody')

  await made.db.query(sql`update confirmations set expires_at = now()`)
  assert.equal((await made.app.inject({ method: 'POST', url: link })).statusCode, 404)
  for (const _ of [1, 2, 3]) await press(made, url, 'export')
  assert.match((await press(made, url, 'export')).body, /role="alert"/, 'not more than three mails an hour')
})

test('who asks to be deleted is, by a mailed link alone, and is not brought back', async (t) => {
  const made = await testApp(t)
  await made.post('/api/contacts', { email: ANN, fields: { first_name: 'Ann' } })
  await press(made, await linkOf(made), 'erase')
  const mail = await latestMail(made, ANN)
  assert.match(mail.subject, /delete everything about me/)
  const link = await requestIn(made)
  assert.match((await made.app.inject(link)).body, /can not be undone/)
  assert.equal((await made.get(`/api/contacts/${ANN}`)).status, 200, 'looking deletes nothing')

  const pressed = await Promise.all([press(made, link, 'erase'), press(made, link, 'erase')])

  assert.ok(pressed.every(({ status }) => status === 200 || status === 404))
  assert.ok(pressed.some(({ body }) => /First holds nothing about you any more/.test(String(body))))
  assert.equal((await made.get(`/api/contacts/${ANN}`)).status, 404)
  assert.equal((await made.app.inject(link)).statusCode, 404)
  assert.equal((await made.get('/api/erasures')).body.total, 1)
  assert.equal((await made.post('/api/contacts', { email: ANN })).status, 422)
})
