import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { parseKeyring } from '../../lib/secret.ts'
import { keyring, type TestApp, testApp } from '../../test/app.ts'
import { form, person, took } from '../../test/imports.ts'
import { waitsForLocks } from '../../test/locks.ts'
import { confirmationLink, press, unsubscribeLink } from '../../test/permission.ts'
import { readUnsubscribeLink, unsubscribeUrl } from '../subscriptions/links.ts'

const ANN = 'ann@example.com'

async function withList(made: TestApp, name = 'News'): Promise<number> {
  return (await made.post('/api/contact_lists', { name })).body.id
}

test('leaving by the endpoint is for good, and twice is once', async (t) => {
  const made = await testApp(t)
  await made.post('/api/contacts', { email: ANN })
  const list = await withList(made)
  const answers = [
    await made.post(`/api/contacts/${ANN}/unsubscribe`),
    await made.post(`/api/contacts/${ANN}/unsubscribe`),
  ]

  assert.deepEqual(
    answers.map(({ status, body }) => [status, body.data.state]),
    [
      [200, 'unsubscribed'],
      [200, 'unsubscribed'],
    ],
  )
  assert.deepEqual(answers[0]!.body, answers[1]!.body)
  await made.patch(`/api/contacts/${ANN}`, { unsubscribed: false })
  await took(made, `email,state\n${ANN},subscribed\n`, { update_existing: 'true', list_id: String(list) })
  assert.equal((await person(made, ANN)).state, 'unsubscribed')
  const events = (await made.get(`/api/contacts/${ANN}/events?types=unsubscribed`)).body.data
  assert.equal(events.length, 1)
  assert.deepEqual(events[0].data, {
    state: { from: 'subscribed', to: 'unsubscribed' },
    state_reason: { to: 'person' },
  })
  assert.equal((await made.post('/api/contacts/nobody@example.com/unsubscribe')).status, 404)
})

test('who was excluded by a caller and then leaves has left by their own act', async (t) => {
  const made = await testApp(t)
  await made.post('/api/contacts', { email: ANN })
  await made.patch(`/api/contacts/${ANN}`, { unsubscribed: true })
  await press(made, await unsubscribeLink(made, ANN))

  await made.patch(`/api/contacts/${ANN}`, { unsubscribed: false })

  assert.equal((await person(made, ANN)).state, 'unsubscribed')
  const consents = (await made.get(`/api/contacts/${ANN}/consents`)).body.data
  assert.deepEqual(
    consents.map(({ action, grade, source }: Record<string, string>) => [action, grade, source]),
    [
      ['withdrawn', 'observed', 'unsubscribe_page'],
      ['withdrawn', 'asserted', 'api'],
      ['granted', 'asserted', 'api'],
    ],
  )
})

test('a list is left by its own members, and neither files, callers nor merges bring them back', async (t) => {
  const made = await testApp(t)
  const { post, patch, get } = made
  const [news, offers] = [await withList(made), await withList(made, 'Offers')]
  await post('/api/contacts', { email: ANN, list_ids: [news, offers] })

  const left = await post(`/api/contacts/${ANN}/unsubscribe`, { list_id: news })
  await post(`/api/contacts/${ANN}/unsubscribe`, { list_id: news })

  assert.deepEqual([left.body.data.state, left.body.data.list_ids], ['subscribed', [offers]])
  await patch(`/api/contacts/${ANN}`, { list_ids_included: [news] })
  await post(`/api/contact_lists/${news}/contacts`, { contact_ids: [ANN] })
  await took(made, `email\n${ANN}\n`, { list_id: String(news), update_existing: 'true' })
  const third = await withList(made, 'Third')
  await post(`/api/contact_lists/${third}/contacts`, { contact_ids: [ANN] })
  await post(`/api/contact_lists/${news}/merge`, { list_ids: [third] })
  assert.deepEqual((await person(made, ANN)).list_ids, [offers])
  await made.del(`/api/contacts/${ANN}`)
  await post('/api/contacts', { email: ANN, list_ids: [news, offers] })
  assert.deepEqual((await person(made, ANN)).list_ids, [offers])
  assert.equal((await post(`/api/contacts/${ANN}/unsubscribe`, { list_id: 999 })).status, 422)
  assert.equal((await get(`/api/contacts/${ANN}/consents`)).body.data[0].list_id, null)
})

test('one click leaves, in whatever form it is posted; looking does not', async (t) => {
  const made = await testApp(t)
  const bodies: [string, string | Buffer][] = [
    ['application/x-www-form-urlencoded', 'List-Unsubscribe=One-Click'],
    ['', ''],
  ]
  const sent = form(null, { 'List-Unsubscribe': 'One-Click' })
  bodies.push([sent.headers['content-type'], sent.body])
  for (const [at, [type, payload]] of bodies.entries()) {
    const email = `p${at}@example.com`
    await made.post('/api/contacts', { email })
    const url = await unsubscribeLink(made, email)
    const looked = await made.app.inject(url)
    assert.match(looked.body, /Do you want to get no more mail from First\?/)
    assert.equal((await person(made, email)).state, 'subscribed')

    const answer = await made.app.inject({
      method: 'POST',
      url,
      payload,
      ...(type === '' ? {} : { headers: { 'content-type': type } }),
    })

    assert.deepEqual([answer.statusCode, answer.body], [200, 'Unsubscribed\n'])
    assert.equal((await person(made, email)).state, 'unsubscribed')
    const [word] = (await made.get(`/api/contacts/${email}/consents`)).body.data
    assert.deepEqual([word.action, word.grade, word.source], ['withdrawn', 'observed', 'one_click'])
  }
})

test("a list's link leaves that list, and its page offers to leave everything", async (t) => {
  const made = await testApp(t)
  const news = await withList(made, 'News <weekly>')
  await made.post('/api/contacts', { email: ANN, list_ids: [news] })
  const url = await unsubscribeLink(made, ANN, news)

  assert.match((await made.app.inject(url)).body, /about “News &lt;weekly&gt;”\?[\s\S]*Unsubscribe from everything/)
  assert.match((await press(made, url)).body, /unsubscribed from “News &lt;weekly&gt;” of First/)
  const after = await person(made, ANN)
  assert.deepEqual([after.state, after.list_ids], ['subscribed', []])
  assert.match((await press(made, url, 'all')).body, /unsubscribed from all mail/)
  assert.equal((await person(made, ANN)).state, 'unsubscribed')
})

test('a link bound to a list that is gone leaves all mail', async (t) => {
  const made = await testApp(t)
  const [news, other] = [await withList(made), await withList(made, 'Other')]
  await made.post('/api/contacts', { email: ANN, list_ids: [news] })
  const url = await unsubscribeLink(made, ANN, news)
  await made.post(`/api/contact_lists/${other}/merge`, { list_ids: [news] })

  await press(made, url)

  assert.equal((await person(made, ANN)).state, 'unsubscribed')
})

test('the word of who has the address counts: after a removal, before they come back, and after a change of address', async (t) => {
  const made = await testApp(t)
  const news = await withList(made)
  const links = async (email: string) =>
    [await unsubscribeLink(made, email), await unsubscribeLink(made, email, news)] as const
  await made.post('/api/contacts', { email: ANN })
  const [all, list] = await links(ANN)

  await made.del(`/api/contacts/${ANN}`)
  await press(made, list)
  const back = await made.post('/api/contacts', { email: ANN, list_ids: [news] })
  assert.deepEqual([back.body.data.state, back.body.data.list_ids], ['subscribed', []])
  await made.del(`/api/contacts/${ANN}`)
  await press(made, all)
  await took(made, `email,state\n${ANN},subscribed\n`)
  assert.equal((await person(made, ANN)).state, 'unsubscribed')
  assert.deepEqual(await made.db.query(sql`select from contacts where state = 'subscribed'`), [])

  await press(made, await confirmationLink(made, ANN))
  await made.del(`/api/contacts/${ANN}`)
  assert.equal(
    (await made.post('/api/contacts', { email: ANN })).body.data.state,
    'subscribed',
    'a confirmation ends it',
  )

  const bob = (await made.post('/api/contacts', { email: 'bob@example.com' })).body.data
  const [bobs] = await links('bob@example.com')
  await made.patch(`/api/contacts/${bob.id}`, { email: 'robert@example.com' })
  await made.post('/api/contacts', { email: 'bob@example.com' })
  await press(made, bobs)
  assert.equal((await person(made, 'robert@example.com')).state, 'unsubscribed')
  assert.equal((await person(made, 'bob@example.com')).state, 'unsubscribed')
})

for (const kind of ['all mail', 'a list'] as const) {
  test(`leaving ${kind} at the very moment in which the address is being entered is not missed`, async (t) => {
    const made = await testApp(t)
    const news = await withList(made)
    await made.post('/api/contacts', { email: ANN })
    const url = await unsubscribeLink(made, ANN, kind === 'a list' ? news : undefined)
    await made.del(`/api/contacts/${ANN}`)

    let pressed: Promise<unknown> | undefined
    await made.db.transaction(async (trx) => {
      await trx.query(sql`
        insert into contacts (account_id, email, state, state_reason, origin) values (${made.accountId}, ${ANN}, 'subscribed', 'caller', 'test')`)
      await trx.query(sql`
        insert into list_members (account_id, list_id, contact_id) select account_id, ${news}, id from contacts where email = ${ANN}`)
      pressed = press(made, url)
      await waitsForLocks(made.db, 1)
    })
    await pressed

    const { state, list_ids } = await person(made, ANN)
    assert.deepEqual([state, list_ids], kind === 'a list' ? ['subscribed', []] : ['unsubscribed', [news]])
  })
}

test('links outlive the keys that made them for as long as those are kept, and open nothing else', async (t) => {
  const made = await testApp(t)
  const leaving = {
    accountId: made.accountId,
    contactId: '0190a0b0-0000-7000-8000-000000000000',
    email: ANN,
    listId: 3,
  }
  const newer = parseKeyring(`another-secret-that-only-tests-know-01234,${keyring[0].secret}`)
  const link = unsubscribeUrl('', keyring, leaving).slice('/unsubscribe/'.length)

  assert.deepEqual(readUnsubscribeLink(newer, link), leaving)
  assert.equal(readUnsubscribeLink([newer[0]], link), undefined)
  assert.equal(readUnsubscribeLink(keyring, link.replace(/^\d+/, '2000')), undefined)
  const wrong = [
    link.slice(0, -2),
    link.replace(/^\d+/, '77'),
    `${link}AA`,
    'x',
    '1-',
    '1-AAAA',
    `${made.accountId}-${'A'.repeat(900)}`,
  ]
  const pages = await Promise.all(wrong.map((one) => made.app.inject(`/unsubscribe/${one}`)))
  assert.deepEqual([...new Set(pages.map(({ statusCode }) => statusCode))], [404])
  assert.equal(new Set(pages.map(({ body }) => body)).size, 1)
  for (const one of wrong) assert.equal((await press(made, `/unsubscribe/${one}`)).status, 404)
})

test('whoever tries links without end is told to wait, on a page', async (t) => {
  const { app } = await testApp(t, { RATE_LIMIT: '5' })
  const pages = []
  for (let at = 0; at < 7; at++)
    pages.push(await app.inject({ url: `/confirm/${at}`, headers: { 'accept-language': 'de' } }))

  assert.deepEqual(
    pages.map(({ statusCode }) => statusCode),
    [404, 404, 404, 404, 404, 429, 429],
  )
  assert.match(pages[6]!.body, /zu viele Anfragen/)
  assert.equal(pages[6]!.headers['retry-after'], '60')
})
