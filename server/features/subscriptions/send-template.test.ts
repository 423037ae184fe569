import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import sql from 'sql-template-tag'
import { type TestApp, testApp } from '../../test/app.ts'
import { person } from '../../test/imports.ts'
import { type MailServer, mailServer } from '../../test/mail-server.ts'
import { latestMail, pathOf, press } from '../../test/permission.ts'

const ANN = 'ann@example.com'
const SEND = '/api/templates/welcome_email/send'

async function withServer(t: TestContext): Promise<TestApp & { smtp: MailServer }> {
  const smtp = await mailServer(t)
  const mail = { SMTP_URL: smtp.url, MAIL_FROM: 'news@rollcall.example', PUBLIC_URL: 'https://people.example/x' }
  return { ...(await testApp(t, mail)), smtp }
}

test('a template is mailed with the links of its reader, in its headers too, and is an activity', async (t) => {
  const made = await withServer(t)
  const { post, get, patch, smtp } = made
  await patch('/api/account', { name: 'Bäcker' })
  await post('/api/templates', {
    name: 'offer',
    subject: '{{ what }}',
    html: '<p>{{ what }} {{ contact.first_name }} {{ nobody }}</p><a href="{{ unsubscribe_url }}">out</a>',
    text: '{{ unsubscribe_url }} {{ preferences_url }}',
  })
  const list = (await post('/api/contact_lists', { name: 'Offers' })).body.id
  await post('/api/contacts', { email: ANN, list_ids: [list], fields: { first_name: '<i>Ann</i>' } })

  const welcome = await post(SEND, { email: ANN })
  const what = 'Cake\r\nBcc: all@example.com'
  const offer = await post('/api/templates/offer/send', { contact_id: ANN, list_id: list, variables: { what } })
  await made.runJobs()

  assert.deepEqual([welcome.status, offer.status], [201, 201], JSON.stringify([welcome.body, offer.body]))
  assert.deepEqual([welcome.body.undefined_variables, offer.body.undefined_variables], [[], ['nobody']])
  const of = (subject: RegExp) => smtp.mails.find((mail) => subject.test(mail.subject!))!
  assert.equal(of(/Welcome/).subject, 'Welcome to Bäcker')
  const mail = of(/Cake/)
  assert.equal(mail.subject, 'Cake Bcc: all@example.com')
  assert.match(mail.html as string, /&lt;i&gt;Ann&lt;\/i&gt; </)
  const [head] = smtp.raw.find((raw) => raw.includes('Cake'))!.split('\r\n\r\n')
  assert.doesNotMatch(head!, /^bcc:/im)
  const [, link] = /^List-Unsubscribe: <(\S+)>$/m.exec(head!) ?? []
  assert.match(head!, /^List-Unsubscribe-Post: List-Unsubscribe=One-Click$/m)
  assert.match(link!, /^https:\/\/people\.example\/x\/unsubscribe\//)
  assert.match(
    mail.text!,
    /^https:\/\/people\.example\/x\/unsubscribe\/\S+ https:\/\/people\.example\/x\/preferences\/\S+$/,
  )
  const events = (await get(`/api/contacts/${ANN}/events?types=email_sent`)).body.data
  assert.deepEqual(
    events.map(({ data }: { data: Record<string, unknown> }) => `${data.template} ${data.message_id}`).sort(),
    [`offer ${offer.body.message_id}`, `welcome_email ${welcome.body.message_id}`],
  )

  await made.app.inject({
    method: 'POST',
    url: pathOf(link!).replace('/x/', '/'),
    payload: 'List-Unsubscribe=One-Click',
  })
  const now = await person(made, ANN)
  assert.deepEqual([now.state, now.list_ids], ['subscribed', []], 'bound to the list of the mail')
  const refused = await post('/api/templates/offer/send', { email: ANN, list_id: list })
  assert.deepEqual(
    [refused.status, refused.body.errors],
    [422, { email: [`may not be mailed: has left list ${list}`] }],
  )
})

test('who may not be mailed is not, and the answer says why', async (t) => {
  const made = await testApp(t)
  const { post } = made
  await post('/api/contacts', { email: 'left@example.com' })
  await post('/api/contacts/left@example.com/unsubscribe')
  await post('/api/contacts', { email: 'pending@example.com', double_opt_in: true })
  await post('/api/contacts', { email: 'sup@example.com' })
  await post('/api/suppressions', { entries: ['sup@example.com'] })
  const mails = (await made.get('/api/messages')).body.total

  for (const [email, reason] of [
    ['left@example.com', 'unsubscribed'],
    ['pending@example.com', 'pending'],
    ['sup@example.com', 'suppressed'],
  ]) {
    const { status, body } = await post(SEND, { email })
    assert.deepEqual([status, body.errors], [422, { email: [`may not be mailed: ${reason}`] }])
  }
  const wrong = await Promise.all([
    post(SEND, { email: 'nobody@example.com' }),
    post('/api/templates/nothing/send', { email: 'sup2@example.com' }),
    post(SEND, {}),
    post(SEND, { email: ANN, contact_id: ANN }),
    post(SEND, { email: ANN, list_id: 99 }),
  ])
  assert.deepEqual(
    wrong.map(({ status }) => status),
    [404, 404, 422, 422, 422],
  )
  await post('/api/contacts', { email: ANN })
  const confirmation = await post('/api/templates/confirm_subscription/send', { email: ANN })
  assert.equal(confirmation.status, 409)
  assert.match(confirmation.body.errors, /resubscribe/)
  assert.equal((await made.get('/api/messages')).body.total, mails)
})

test('a mail that waits does not go to who has left or was suppressed since', async (t) => {
  const made = await withServer(t)
  const { post } = made
  for (const email of [ANN, 'bob@example.com']) {
    await post('/api/contacts', { email })
    assert.equal((await post(SEND, { email })).status, 201)
  }
  await post(`/api/contacts/${ANN}/unsubscribe`)
  await post('/api/suppressions', { entries: ['bob@example.com'] })
  await made.runJobs()

  assert.equal(made.smtp.connections(), 0)
  for (const email of [ANN, 'bob@example.com']) assert.equal((await latestMail(made, email)).phase, 'cancelled')
})

test('links come with contacts where they are asked for', async (t) => {
  const made = await testApp(t)
  const { post, get } = made
  const list = (await post('/api/contact_lists', { name: 'News' })).body.id
  await post('/api/contacts', { email: 'ann@bücher.example', list_ids: [list] })

  const plain = (await get('/api/contacts/ann@bücher.example')).body.data
  const one = (await get('/api/contacts/ann@bücher.example?include=links,smart_lists')).body.data
  const bound = (await get(`/api/contacts/ann@bücher.example?include=links&list_id=${list}`)).body.data
  const [inList] = (await get(`/api/contact_lists/${list}/contacts?include=links`)).body.data
  const [searched] = (await post('/api/contacts/search', { list_id: list, include: 'links' })).body.data

  assert.equal(plain.links, undefined)
  assert.deepEqual(one.smart_lists, [])
  assert.deepEqual(Object.keys(one.links), ['unsubscribe_url', 'preferences_url'])
  assert.equal((await get('/api/contacts?include=everything')).status, 422)
  for (const [contact, asks] of [
    [one, /from First\?/],
    [bound, /about “News”/],
    [inList, /about “News”/],
    [searched, /about “News”/],
  ] as const)
    assert.match((await made.app.inject(pathOf(contact.links.unsubscribe_url))).body, asks)
  await press(made, pathOf(bound.links.unsubscribe_url))
  assert.deepEqual((await person(made, 'ann@bücher.example')).list_ids, [])
  assert.equal((await made.db.query(sql`select from list_opt_outs`)).length, 1)
})
