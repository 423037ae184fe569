import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keyring, testApp } from '../../test/app.ts'
import { fill, formOf, shownAt, signUp, taken } from '../../test/forms.ts'
import { person } from '../../test/imports.ts'
import { latestMail } from '../../test/permission.ts'
import { timeToken } from './time-trap.ts'

const ANN = 'ann@example.com'

test('forms are made, changed as new versions, and removed; what is wrong is told at once', async (t) => {
  const made = await testApp(t)
  const { get, post, patch, del, another } = made
  const list = (await post('/api/contact_lists', { name: 'News' })).body.id
  const smart = (await post('/api/contact_lists', { name: 'Smart', criteria: { state: 'subscribed' } })).body.id
  const given = {
    name: ' Newsletter ',
    list_ids: [list],
    fields: [{ field: 'first_name', label: 'You' }, { field: 'LAST_NAME' }],
    title: 'Come in',
    redirect_url: 'https://www.example.com/thanks',
    frame_origins: ['https://www.example.com'],
    welcome_template: 'welcome_email',
  }

  const created = await post('/api/forms', given)

  assert.equal(created.status, 201, JSON.stringify(created.body))
  const { id, url, created_at, updated_at, ...rest } = created.body.data
  assert.match(url, /^http:\/\/localhost:\d+\/f\/1-[\w-]{16}$|^http:\/\/127\.0\.0\.1:\d+\/f\/1-[\w-]{16}$/)
  assert.deepEqual(rest, {
    ...given,
    name: 'Newsletter',
    version: 1,
    active: true,
    double_opt_in: true,
    fields: [
      { field: 'first_name', label: 'You', required: false },
      { field: 'last_name', label: null, required: false },
    ],
    introduction: null,
    consent: null,
    button: null,
    success: null,
  })
  const changed = await patch(`/api/forms/${id}`, { title: '', active: false })
  assert.deepEqual([changed.body.data.version, changed.body.data.title, changed.body.data.active], [2, null, false])
  assert.deepEqual((await get(`/api/forms/${id}`)).body, changed.body)
  assert.deepEqual(
    (await get('/api/forms')).body.data.map((form: { id: number }) => form.id),
    [id],
  )

  const wrong = await post('/api/forms', {
    name: ' ',
    list_ids: [smart, 99],
    fields: [{ field: 'nope' }],
    redirect_url: 'javascript:alert(1)',
    frame_origins: ["https://x.example; script-src 'unsafe-inline'", 'https://ok.example/path'],
    welcome_template: 'nothing',
  })
  assert.equal(wrong.status, 422)
  assert.deepEqual(Object.keys(wrong.body.errors).sort(), [
    'fields',
    'frame_origins',
    'list_ids',
    'name',
    'redirect_url',
    'welcome_template',
  ])
  assert.match(wrong.body.errors.fields[0], /nope: there are first_name, last_name/)
  assert.deepEqual((await post('/api/forms', { name: 'NEWSLETTER' })).body.errors, { name: ['has already been taken'] })
  await post('/api/contact_fields', { name: 'must', type: 'text', required: true })
  assert.match((await post('/api/forms', { name: 'Other' })).body.errors.fields[0], /must ask for must/)

  const used = await del(`/api/contact_lists/${list}`)
  assert.match(JSON.stringify(used.body), /used in the form\(s\): Newsletter/)
  const fields = (await get('/api/contact_fields')).body as { id: number; merge_tag: string }[]
  const named = await del(`/api/contact_fields/${fields.find((field) => field.merge_tag === 'last_name')!.id}`)
  assert.match(JSON.stringify(named.body), /used in the form\(s\): Newsletter/)

  const other = await another()
  for (const method of ['GET', 'PATCH', 'DELETE'])
    assert.equal((await other.call(method, `/api/forms/${id}`, method === 'PATCH' ? {} : undefined)).status, 404)
  assert.equal((await del(`/api/forms/${id}`)).status, 204)
  assert.equal((await get(`/api/forms/${id}`)).status, 404)
  const audited = (await get('/api/audit')).body.data.map((entry: { action: string }) => entry.action)
  assert.deepEqual(audited, ['form_deleted', 'form_updated', 'form_created'])
})

test('the page of a form is in its reader’s language, escaped, strict, and framed by those alone who may', async (t) => {
  const made = await testApp(t)
  await made.patch('/api/account', { name: 'Bäcker & <Söhne>', color: '#ffcc00' })
  await made.post('/api/contact_fields', { name: 'Size', type: 'select', options: ['<S>', 'M'] })
  const fields = [{ field: 'first_name', label: '"><img src=x>', required: true }, { field: 'size' }]
  const form = await formOf(made, { fields, introduction: 'One <b>.\n\nTwo.', frame_origins: ['https://shop.example'] })

  const page = await made.app.inject({ url: form.path, headers: { 'accept-language': 'de' } })

  assert.equal(page.statusCode, 200)
  assert.match(page.body, /<html lang="de">[\s\S]*<p>One &lt;b&gt;\.<\/p><p>Two\.<\/p>/)
  assert.match(page.body, /<h1>Nachrichten von Bäcker &amp; &lt;Söhne&gt;<\/h1>/)
  assert.match(page.body, /&quot;&gt;&lt;img src=x&gt;/)
  assert.match(page.body, /<option value="&lt;S&gt;">/)
  assert.doesNotMatch(page.body, /<script|<img|<b>/)
  const policy = String(page.headers['content-security-policy'])
  assert.match(
    policy,
    /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'; frame-ancestors https:\/\/shop\.example; base-uri 'none'$/,
  )
  assert.equal(page.headers['x-frame-options'], undefined)
  const plain = await made.app.inject((await formOf(made)).path)
  assert.match(String(plain.headers['content-security-policy']), /frame-ancestors 'none'/)
  assert.equal(plain.headers['x-frame-options'], 'DENY')

  const values = { email: 'no address', 'fields[first_name]': '<i>', 'fields[size]': 'XXL' }
  const back = await fill(made, form, values)
  assert.equal(back.status, 422)
  assert.match(back.body, /role="alert"/)
  assert.match(back.body, /value="no address"[^>]*>|value="no address"/)
  assert.match(back.body, /id="email-problem">Please write an address/)
  assert.match(back.body, /id="fields-size--problem"/)
  assert.match(back.body, /value="&lt;i&gt;"/)
  const empty = await fill(made, form, { email: ANN })
  assert.match(empty.body, /id="fields-first_name--problem">Please fill this in/)
  await taken(made)
  assert.equal((await made.get('/api/contacts')).body.total, 0)

  const shut = await formOf(made, { active: false })
  for (const path of [shut.path, '/f/1-aaaaaaaaaaaaaaaa', '/f/x', `${form.path}x`, form.path.replace('/1-', '/2-')]) {
    assert.equal((await made.app.inject(path)).statusCode, 404, path)
    assert.equal((await fill(made, { ...form, path }, { email: ANN })).status, 404, path)
  }
})

test('robots are told what people are told, and nothing comes of it', async (t) => {
  const made = await testApp(t)
  const form = await formOf(made)
  const at = (ageS: number) => shownAt(form, new Date(Date.now() - ageS * 1000))
  const [known] = shownAt(form).split('.')
  const foreign = timeToken(keyring, (await formOf(made)).path.slice(3), new Date(Date.now() - 60_000))
  const person = await fill(made, form, { email: 'person@example.com' })
  const robot = await fill(made, form, { email: 'robot@example.com', website: 'https://spam.example' })
  const once: Record<string, string> = {
    quick: at(0),
    late: at(24 * 3600 + 60),
    future: at(-3600),
    none: '',
    forged: `${known}.${'0'.repeat(64)}`,
    foreign,
  }
  for (const [name, token] of Object.entries(once)) {
    const answer = await fill(made, form, { email: `${name}@example.com`, t: token, evil: 'x' })
    assert.equal(answer.status, 200)
    assert.match(answer.body, /Please press once more to sign up/, name)
    assert.doesNotMatch(answer.body, /evil/)
  }
  await taken(made)

  assert.equal(robot.body, person.body)
  const emails = (await made.get('/api/contacts')).body.data.map((contact: { email: string }) => contact.email)
  assert.deepEqual(emails, ['person@example.com'])
})

test('a form in a page of the account’s own leads through one more press', async (t) => {
  const made = await testApp(t)
  await made.post('/api/contact_fields', { name: 'Wants it', type: 'boolean' })
  const form = await formOf(made, { fields: [{ field: 'first_name' }, { field: 'wants_it' }] })
  const { html, iframe, url } = (await made.get(`/api/forms/${form.id}/embed`)).body.data
  assert.match(html, new RegExp(`^<form action="${url}" method="post"`))
  assert.match(html, /name="fields\[first_name\]"/)
  assert.doesNotMatch(html, /<script|style=/)
  assert.match(iframe, new RegExp(`^<iframe src="${url}"`))

  const first = await fill(made, form, { email: ANN, 'fields[first_name]': '"Ann"', 'fields[wants_it]': 'true', t: '' })
  const hidden = [...first.body.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)">/g)].map(
    ([, name, value]) => [name, value!.replaceAll('&quot;', '"')],
  )
  const values = Object.fromEntries(hidden) as Record<string, string>
  assert.deepEqual(Object.keys(values), ['email', 'fields[first_name]', 'fields[wants_it]', 't'])
  await signUp(made, form, { ...values, t: shownAt(form) })

  const { state, fields } = await person(made, ANN)
  assert.deepEqual([state, fields], ['pending', { first_name: '"Ann"', wants_it: true }])
})

test('a form may send people on, and its browser lets it', async (t) => {
  const made = await testApp(t)
  const form = await formOf(made, { redirect_url: 'https://www.example.com/thanks?x=1' })
  assert.match(
    String((await made.app.inject(form.path)).headers['content-security-policy']),
    /form-action 'self' https:\/\/www\.example\.com;/,
  )
  const sent = await signUp(made, form, { email: ANN })
  const robot = await fill(made, form, { email: ANN, website: 'x' })
  assert.deepEqual([sent.status, sent.headers.location, robot.status], [303, 'https://www.example.com/thanks?x=1', 303])
  assert.match((await latestMail(made, ANN)).subject, /^Please confirm/)
})

test('a network, and an address from many networks, can sign up so often', async (t) => {
  const made = await testApp(t, { FORM_RATE_LIMIT: '3', TRUSTED_PROXIES: '127.0.0.1' })
  const form = await formOf(made)
  const from = (ip: string, email: string) => fill(made, form, { email }, { 'x-forwarded-for': ip })
  const network = []
  for (let nth = 0; nth < 4; nth++) network.push(await from('2001:db8::1', `n${nth}@example.com`))
  const address = []
  for (let nth = 0; nth < 4; nth++) address.push(await from(`192.0.2.${nth}`, ANN))

  for (const answers of [network, address]) {
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200, 429],
    )
    assert.match(answers[3]!.body, /One moment/)
    assert.ok(answers[3]!.headers['retry-after'])
  }
})

test('a form needs PUBLIC_URL where mail goes out, and says so', async (t) => {
  const made = await testApp(t, { SMTP_URL: 'smtp://127.0.0.1:9', MAIL_FROM: 'news@rollcall.example' })
  const refused = await made.post('/api/forms', { name: 'Form' })
  assert.equal(refused.status, 409)
  assert.match(refused.body.errors, /set PUBLIC_URL/)
})

test('a form that asked for more can ask for nothing but the address', async (t) => {
  const made = await testApp(t)
  const { id } = await formOf(made, { fields: [{ field: 'first_name' }] })

  const { status, body } = await made.patch(`/api/forms/${id}`, { fields: [] })

  assert.deepEqual([status, body.data?.fields], [200, []], JSON.stringify(body))
})

test('a preview is the page that the form would have, and saves nothing', async (t) => {
  const made = await testApp(t)
  const { post, get } = made
  await post('/api/contact_fields', { name: 'plan', type: 'select', options: ['Free', '<Pro>'] })
  const settings = {
    fields: [{ field: 'plan', label: 'Your <plan>', required: true }],
    title: 'Come <in>',
    introduction: 'One.\n\nTwo.',
    success: 'Until soon',
  }
  const page = async (language: string) => {
    const { path } = await formOf(made, settings)
    const { body } = await made.call('GET', path, undefined, { 'accept-language': language })
    return (body as string).replace(/(name="t" value=")[^"]*/, '$1')
  }

  for (const language of ['en', 'de']) {
    const preview = await post('/api/forms/preview', { ...settings, language })
    assert.equal(preview.status, 200, JSON.stringify(preview.body))
    assert.equal(preview.body.data.html, await page(language))
  }
  const empty = await post('/api/forms/preview', { fields: [] })
  assert.match(empty.body.data.html, /<h1>News from First<\/h1>/)
  const after = await post('/api/forms/preview', { ...settings, shows: 'success' })
  assert.match(after.body.data.html, /<h1>Thank you<\/h1><p>Until soon<\/p>/)
  const wrong = await post('/api/forms/preview', { fields: [{ field: 'nope' }] })
  assert.match(wrong.body.errors.fields[0], /^no field has the merge tag nope/)
  assert.equal((await get('/api/forms')).body.data.length, 2, 'those that were made to be compared')
})
