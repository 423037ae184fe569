import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { hmac } from '../../lib/secret.ts'
import { keyring, type TestApp, testApp } from '../../test/app.ts'
import { type FormMade, fill, formOf, signUp, taken } from '../../test/forms.ts'
import { person, took } from '../../test/imports.ts'
import { waitsForLocks } from '../../test/locks.ts'
import { latestMail, linkIn, press, unsubscribeLink } from '../../test/permission.ts'

const ANN = 'ann@example.com'

const mailsTo = async (made: TestApp, email: string): Promise<number> =>
  (await made.get(`/api/messages?contact=${encodeURIComponent(email)}`)).body.total
const consentsOf = async ({ get }: TestApp, email = ANN) =>
  (await get(`/api/contacts/${email}/consents`)).body.data as Record<string, unknown>[]
const listNamed = async ({ post }: TestApp, name: string, more: object = {}): Promise<number> =>
  (await post('/api/contact_lists', { name, ...more })).body.id
const confirmBy = async (made: TestApp, email: string) => press(made, linkIn(await latestMail(made, email)), 'confirm')

async function withForm(made: TestApp, settings: object = {}): Promise<FormMade & { list: number }> {
  const list = await listNamed(made, `List ${Math.random()}`)
  const form = await formOf(made, {
    list_ids: [list],
    fields: [{ field: 'first_name', label: 'Your name', required: true }],
    consent: 'I want <news>.',
    welcome_template: 'welcome_email',
    ...settings,
  })
  return { ...form, list }
}

test('a sign-up waits for its confirmation, and then has all that the form says', async (t) => {
  const made = await testApp(t)
  const { get } = made
  const form = await withForm(made)
  const answer = await fill(
    made,
    form,
    { email: ' Ann@Example.com ', 'fields[first_name]': '<b>Ann</b>' },
    { 'user-agent': 'B1' },
  )
  assert.equal(answer.status, 200)
  assert.match(answer.body, /<h1>Thank you<\/h1>/)
  assert.equal((await get(`/api/contacts/${ANN}`)).status, 404, 'taken in a moment, so that the answer tells nothing')
  const [stored] = await made.db.query<{ text: string }>(sql`
    select (select string_agg(s::text, '') from sign_ups as s) || (select string_agg(data::text, '') from pgboss.job) as text`)
  assert.doesNotMatch(stored!.text, /ann@/i)

  await taken(made)

  const pending = await person(made, ANN)
  assert.deepEqual(
    [pending.state, pending.origin, pending.list_ids, pending.fields.first_name],
    ['pending', 'form', [], '<b>Ann</b>'],
  )
  assert.deepEqual(await consentsOf(made), [], 'nobody has agreed to anything yet')
  assert.deepEqual(await made.db.query(sql`select from sign_ups`), [])
  const mail = await latestMail(made, ANN)
  assert.match(mail.html, /Hello &lt;b&gt;Ann&lt;\/b&gt;/)
  const page = await made.app.inject(linkIn(mail))
  assert.match(page.body, /Do you want to get mail from First about “List 0\.\d+”\?/)

  await press(made, linkIn(mail), 'confirm')

  const now = await person(made, ANN)
  assert.deepEqual([now.state, now.list_ids], ['subscribed', [form.list]])
  const consents = await consentsOf(made)
  assert.deepEqual(
    consents.map(({ action, grade, source, list_id }) => [action, grade, source, list_id]).sort(),
    [
      ['granted', 'observed', 'confirm_page', form.list],
      ['granted', 'observed', 'confirm_page', null],
    ].sort(),
  )
  const shown = (consents[0]!.data as { form: Record<string, unknown> }).form
  assert.deepEqual(
    { ...shown, submitted_at: 0, ip: 0 },
    { id: form.id, version: 1, wording: 'I want <news>.', language: 'en', user_agent: 'B1', submitted_at: 0, ip: 0 },
  )
  assert.equal((await latestMail(made, ANN)).template, 'welcome_email')
  const events = (await get(`/api/contacts/${ANN}/events`)).body.data as { types: string[]; data: { form?: object } }[]
  assert.deepEqual(
    events.map(({ types }) => types),
    [['email_sent'], ['list_added'], ['subscribed'], ['confirmation_sent', 'email_sent'], ['created']],
  )
  assert.deepEqual(events.at(-1)!.data.form, { id: form.id, version: 1 })
  assert.equal(
    (await confirmBy(made, ANN).catch(() => ({ status: 404 }))).status,
    404,
    'a welcome has no link to confirm',
  )
})

test('a confirmed person who fills the form again stays as they are, and gets no mail', async (t) => {
  const made = await testApp(t)
  const form = await withForm(made)
  await signUp(made, form, { email: ANN, 'fields[first_name]': 'Ann' })
  await confirmBy(made, ANN)
  const [before, mails, consents] = [await person(made, ANN), await mailsTo(made, ANN), await consentsOf(made)]

  const again = await signUp(made, form, { email: ANN, 'fields[first_name]': 'Someone else' })

  assert.equal(again.status, 200)
  assert.deepEqual([await person(made, ANN), await mailsTo(made, ANN)], [before, mails])
  assert.deepEqual(await consentsOf(made), consents)
})

test('whoever is in by other ways joins the lists of a form only by the mail, and keeps what is known of them', async (t) => {
  const made = await testApp(t)
  const form = await withForm(made)
  await made.post('/api/contacts', { email: ANN, fields: { first_name: 'Ann' } })
  await made.post(`/api/contacts/${ANN}/unsubscribe`, { list_id: form.list })

  await signUp(made, form, { email: ANN, 'fields[first_name]': 'Eve' })
  const asked = await person(made, ANN)
  await signUp(made, form, { email: ANN, 'fields[first_name]': 'Eve' })
  assert.equal(await mailsTo(made, ANN), 1, 'pressed twice, asked once')
  await confirmBy(made, ANN)

  assert.deepEqual([asked.state, asked.list_ids, asked.fields.first_name], ['subscribed', [], 'Ann'])
  const now = await person(made, ANN)
  assert.deepEqual([now.list_ids, now.fields.first_name], [[form.list], 'Ann'])
  assert.deepEqual(await made.db.query(sql`select from list_opt_outs`), [], 'their own act undoes their own act')
})

test('a link of one form does not join what another form has asked for', async (t) => {
  const made = await testApp(t)
  const [one, two] = [await withForm(made), await withForm(made)]
  await signUp(made, one, { email: ANN, 'fields[first_name]': 'Ann' })
  const first = linkIn(await latestMail(made, ANN))
  await signUp(made, two, { email: ANN, 'fields[first_name]': 'Ann' })
  const second = linkIn(await latestMail(made, ANN))

  await press(made, first, 'confirm')
  assert.deepEqual((await person(made, ANN)).list_ids, [one.list])
  assert.match((await made.app.inject(second)).body, /about “List/, 'still open')
  await press(made, second, 'confirm')
  await press(made, second, 'confirm')
  assert.deepEqual((await person(made, ANN)).list_ids, [one.list, two.list])
})

test('without double opt-in a form subscribes whoever is new or was never asked, and nobody else', async (t) => {
  const made = await testApp(t)
  const { post, db, accountId } = made
  const form = await withForm(made, { double_opt_in: false })
  await took(made, 'email,state\nnone@example.com,none\nbounced@example.com,bounced\n')
  for (const email of ['left@example.com', 'gone@example.com', 'out@example.com'])
    await post('/api/contacts', { email })
  await post('/api/contacts/left@example.com/unsubscribe')
  await post('/api/contacts/gone@example.com/unsubscribe')
  await made.del('/api/contacts/gone@example.com')
  await post('/api/contacts/out@example.com/unsubscribe', { list_id: form.list })
  await post('/api/suppressions', { entries: ['sup@example.com'] })
  const { value, keyId } = hmac(keyring, 'suppression', 'erased@example.com')
  await db.query(sql`
    insert into suppressions (account_id, kind, value, key_id, reason, source)
    values (${accountId}, 'hmac', ${value}, ${keyId}, 'erased', 'test')`)

  const names = ['new', 'none', 'left', 'gone', 'out', 'bounced', 'sup', 'erased']
  const bodies = new Set<string>()
  for (const name of names)
    bodies.add((await fill(made, form, { email: `${name}@example.com`, 'fields[first_name]': 'X' })).body)
  await taken(made)

  assert.equal(bodies.size, 1, 'nobody is told who is known')
  const rows = await Promise.all(
    names.map(async (name) => {
      const { state, list_ids, sendable } = await person(made, `${name}@example.com`)
      const mail = await latestMail(made, `${name}@example.com`)
      return [name, state, list_ids.length, sendable.allowed, mail?.template ?? null]
    }),
  )
  assert.deepEqual(rows, [
    ['new', 'subscribed', 1, true, 'welcome_email'],
    ['none', 'subscribed', 1, true, 'welcome_email'],
    ['left', 'unsubscribed', 0, false, 'confirm_subscription'],
    ['gone', 'pending', 0, false, 'confirm_subscription'],
    ['out', 'subscribed', 0, true, 'confirm_subscription'],
    ['bounced', 'bounced', 0, false, null],
    ['sup', 'pending', 0, false, null],
    ['erased', 'pending', 0, false, 'confirm_subscription'],
  ])
  const [word] = await consentsOf(made, 'new@example.com')
  assert.deepEqual([word!.action, word!.grade, word!.source, word!.actor], ['granted', 'observed', 'form', 'person'])
  assert.deepEqual(
    [(word!.data as Record<string, unknown>).wording, (word!.data as Record<string, unknown>).form_version],
    ['I want <news>.', 1],
  )

  for (const name of ['left', 'gone', 'erased']) await confirmBy(made, `${name}@example.com`)
  for (const name of ['left', 'gone', 'erased']) {
    const { state, list_ids } = await person(made, `${name}@example.com`)
    assert.deepEqual([name, state, list_ids], [name, 'subscribed', [form.list]])
  }
  assert.deepEqual(await db.query(sql`select from suppressions where kind = 'hmac'`), [])
})

test('whoever was waiting after they had left is again gone when they never answer', async (t) => {
  const made = await testApp(t, { PENDING_RETENTION_DAYS: '1' })
  const { post, patch } = made
  const form = await withForm(made)
  await post('/api/contacts', { email: ANN })
  await post(`/api/contacts/${ANN}/unsubscribe`)
  await made.del(`/api/contacts/${ANN}`)
  await signUp(made, form, { email: ANN, 'fields[first_name]': 'Ann' })
  await patch(`/api/contacts/${ANN}`, { unsubscribed: true })
  await patch(`/api/contacts/${ANN}`, { unsubscribed: false })
  assert.equal((await person(made, ANN)).state, 'pending')
  await made.db.query(sql`update contacts set state_at = now() - interval '2 days'`)
  await made.db.query(sql`update confirmations set expires_at = now()`)
  const { expirePending } = await import('../contacts/pending.ts')

  await expirePending({ db: made.db, keyring, days: 1 })
  await took(made, `email,state\n${ANN},subscribed\n`, { update_existing: 'true' })

  assert.equal((await person(made, ANN)).state, 'unsubscribed')
})

test('lists, and the account, may want that people confirm', async (t) => {
  const made = await testApp(t)
  const { post, patch } = made
  const careful = await listNamed(made, 'Careful', { double_opt_in: true })
  const form = await formOf(made, { double_opt_in: false, list_ids: [careful] })
  const plain = await formOf(made, { double_opt_in: false })
  await took(made, 'email,state\nnone@example.com,none\nbulk@example.com,none\n')

  await signUp(made, form, { email: 'form@example.com' })
  await post('/api/contacts', { email: 'api@example.com', list_ids: [careful], double_opt_in: false })
  await patch('/api/contacts/upsert@example.com', { list_ids_included: [careful] })
  await patch('/api/contacts/none@example.com', { list_ids_included: [careful] })
  await took(made, 'email\nfile@example.com\n', { list_id: String(careful) })
  await post(`/api/contact_lists/${careful}/contacts`, { contact_ids: ['bulk@example.com'] })
  await patch('/api/account', { double_opt_in: true })
  await signUp(made, plain, { email: 'account@example.com' })

  const rows = await Promise.all(
    ['form', 'api', 'upsert', 'none', 'file', 'bulk', 'account'].map(async (name) => {
      const email = `${name}@example.com`
      return [name, (await person(made, email)).state, await mailsTo(made, email)]
    }),
  )
  assert.deepEqual(rows, [
    ['form', 'pending', 1],
    ['api', 'pending', 1],
    ['upsert', 'pending', 1],
    ['none', 'pending', 1],
    ['file', 'subscribed', 0],
    ['bulk', 'none', 0],
    ['account', 'pending', 1],
  ])
})

test('a form sent twice at the same moment makes one person, and asks once', async (t) => {
  const made = await testApp(t)
  const form = await withForm(made)
  const values = { email: ANN, 'fields[first_name]': 'Ann' }
  await Promise.all([fill(made, form, values), fill(made, form, values)])

  await Promise.all([taken(made), taken(made)])

  assert.equal((await person(made, ANN)).state, 'pending')
  assert.equal(await mailsTo(made, ANN), 1)
})

test('whoever leaves at the moment in which their sign-up is taken has left', async (t) => {
  const made = await testApp(t)
  const form = await withForm(made, { double_opt_in: false })
  await took(made, `email,state\n${ANN},none\n`)
  const link = await unsubscribeLink(made, ANN)
  await fill(made, form, { email: ANN, 'fields[first_name]': 'Ann' })
  let taking: Promise<void> | undefined
  let leaving: Promise<unknown> | undefined
  await made.db.transaction(async (trx) => {
    await trx.query(sql`select from contacts where email = ${ANN} for update`)
    leaving = press(made, link)
    await waitsForLocks(made.db, 1)
    taking = taken(made)
    await waitsForLocks(made.db, 2)
  })
  await Promise.all([taking, leaving])

  const now = await person(made, ANN)
  assert.deepEqual([now.state, now.list_ids, now.sendable.allowed], ['unsubscribed', [], false])
})

test('more than three mails an hour are not sent to one address, and the form never says so', async (t) => {
  const made = await testApp(t)
  const form = await formOf(made)
  const bodies = new Set<string>()
  for (let nth = 0; nth < 5; nth++) {
    bodies.add((await signUp(made, form, { email: ANN })).body)
    await made.db.query(sql`update confirmations set created_at = created_at - interval '2 minutes'`)
  }

  assert.equal(await mailsTo(made, ANN), 3)
  assert.equal(bodies.size, 1)
})

test('sign-ups of each form are counted with those that were confirmed, and stay counted without the people', async (t) => {
  const made = await testApp(t)
  const form = await withForm(made)
  const open = await withForm(made, { double_opt_in: false })
  const counted = async (call = made.call) => {
    const { data } = (await call('GET', '/api/stats/forms?days=2')).body
    return data.map((one: Record<'form_id' | 'sign_ups' | 'confirmed', number>) => [
      one.form_id,
      one.sign_ups,
      one.confirmed,
    ])
  }
  const values = { 'fields[first_name]': 'Ann' }

  await signUp(made, form, { email: ANN, ...values })
  await signUp(made, form, { email: 'bob@example.com', ...values })
  await signUp(made, open, { email: 'cy@example.com', ...values })
  assert.deepEqual(await counted(), [
    [form.id, 2, 0],
    [open.id, 1, 1],
  ])
  const link = linkIn(await latestMail(made, ANN))
  await press(made, link, 'confirm')
  await press(made, link, 'confirm')
  await signUp(made, open, { email: 'cy@example.com', ...values }) // who is in already, by all lists
  await made.del(`/api/contacts/${ANN}`)
  assert.deepEqual(await counted(), [
    [form.id, 2, 1],
    [open.id, 2, 1],
  ])

  await made.db.query(sql`update form_counts set quarter = quarter - interval '1 day' where form_id = ${form.id}`)
  const { days } = (await made.get('/api/stats/forms?days=2')).body.data[0]
  assert.deepEqual(
    days.map((day: { sign_ups: number; confirmed: number }) => [day.sign_ups, day.confirmed]),
    [
      [2, 1],
      [0, 0],
    ],
  )
  await made.patch('/api/account', { time_zone: 'Asia/Kathmandu' }) // 5 hours and three quarters ahead
  await made.db.query(sql`
    update form_counts set quarter = date_trunc('day', now() at time zone 'Asia/Kathmandu') at time zone 'Asia/Kathmandu' - interval '15 minutes'
    where form_id = ${open.id}`)
  const { days: there } = (await made.get('/api/stats/forms?days=2')).body.data[1]
  assert.deepEqual(
    there.map((day: { sign_ups: number }) => day.sign_ups),
    [2, 0],
    'a quarter of an hour before midnight is of the day before',
  )
  assert.deepEqual(await counted((await made.another()).call), [])
  await made.del(`/api/forms/${form.id}`)
  assert.deepEqual(await made.db.query(sql`select form_id from form_counts`), [{ form_id: open.id }])
})
