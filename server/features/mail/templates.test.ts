import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testApp } from '../../test/app.ts'

const CONFIRM = '/api/templates/confirm_subscription'
const source = {
  subject: 'Hello {{ contact.first_name }}',
  html: '<p>{{ contact.first_name }}</p>',
  text: '{{ note }}',
}

test('templates are added, changed as new versions, and removed; a built-in one comes back', async (t) => {
  const { get, post, patch, del, another } = await testApp(t)
  assert.equal((await get(CONFIRM)).body.data.version, 0)

  const made = await post('/api/templates', { name: 'welcome', ...source })
  const changed = await patch(CONFIRM, { subject: 'Changed' })
  const again = await patch(CONFIRM, { subject: 'Changed again' })

  assert.deepEqual([made.status, made.body.data.version], [201, 1])
  assert.deepEqual([changed.body.data.version, again.body.data.version], [1, 2])
  assert.match(again.body.data.html, /confirm_url/, 'what is not given stays')
  const all = (await get('/api/templates')).body.data as { name: string; subject: string }[]
  assert.deepEqual(
    all.map(({ name, subject }) => [name, subject]),
    [
      ['confirm_request', all[0]!.subject],
      ['confirm_subscription', 'Changed again'],
      ['welcome', source.subject],
      ['welcome_email', 'Welcome to {{ account.name }}'],
    ],
  )
  const { call } = await another()
  assert.equal((await call('GET', '/api/templates/welcome')).status, 404)
  for (const name of ['welcome', 'confirm_subscription'])
    assert.equal((await post('/api/templates', { name, ...source })).status, 422, 'taken')
  assert.equal((await del('/api/templates/welcome')).status, 204)
  assert.equal((await del('/api/templates/welcome')).status, 404)
  assert.equal((await del(CONFIRM)).status, 204)
  assert.equal((await get(CONFIRM)).body.data.version, 0)
  assert.equal((await get('/api/templates/__proto__')).status, 404)
})

test('two changes at once are two versions', async (t) => {
  const { patch, get } = await testApp(t)
  const answers = await Promise.all([1, 2, 3].map((n) => patch(CONFIRM, { subject: `n${n}` })))

  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200],
  )
  assert.equal((await get(CONFIRM)).body.data.version, 3)
})

test('a preview shows what a contact would get, escaped, and names what nobody gives', async (t) => {
  const { post } = await testApp(t)
  await post('/api/contacts', { email: 'ann@example.com', fields: { first_name: '<Ann>' } })
  await post('/api/templates', {
    name: 'welcome',
    ...source,
    html: '{% assign own = 1 %}{{ contact.first_name }}{{ contact.last_name }}{{ own }}{{ contact.nick }}{{ contact.constructor }}{% for x in things %}{{ x.y }}{% endfor %}',
  })

  const shown = await post('/api/templates/welcome/preview', { contact: 'ann@example.com', variables: { note: '<n>' } })

  assert.equal(shown.status, 200, JSON.stringify(shown.body))
  assert.deepEqual(shown.body, {
    subject: 'Hello <Ann>',
    html: '&lt;Ann&gt;1',
    text: '<n>',
    undefined_variables: ['contact.nick', 'contact.constructor', 'things'],
  })
  assert.equal((await post('/api/templates/welcome/preview', { contact: 'nobody@example.com' })).status, 404)
})

test('what can not be read is refused with its place, and nothing is kept of it', async (t) => {
  const { post, get } = await testApp(t)
  const refused = await post('/api/templates', {
    name: 'bad',
    subject: 'fine',
    html: '<p>\n{% if x %}',
    text: '{{ a | nope }}',
  })

  assert.equal(refused.status, 422)
  assert.match(refused.body.errors.html[0], /^line 2: .*not closed/)
  assert.match(refused.body.errors.text[0], /^line 1: undefined filter: nope/)
  assert.equal(refused.body.errors.subject, undefined)
  assert.equal((await get('/api/templates/bad')).status, 404)
})

test('a template takes neither long nor much, and reads no files', async (t) => {
  const { post } = await testApp(t)
  await post('/api/contacts', { email: 'ann@example.com' })
  const bad = {
    loops: '{% for a in (1..1000000) %}{% for b in (1..1000000) %}{{ a }}{% endfor %}{% endfor %}',
    range: '{% for a in (1..100000000) %}x{% endfor %}',
    doubles: '{% assign x = "xxxxxxxxxx" %}{% for a in (1..60) %}{% assign x = x | append: x %}{% endfor %}{{ x }}',
    each: `{% assign x = "${'a,'.repeat(40_000)}" | split: "," %}{{ x | where_exp: "i", "${'i == i and '.repeat(5000)}i" | size }}`,
    deep: `{% assign x = "${'a,'.repeat(40_000)}" | split: "," %}{{ x | map: "${'a.'.repeat(40_000)}a" | size }}`,
    large: `{% for a in (1..1000) %}${'x'.repeat(50_000)}{% endfor %}`,
    file: "{% render 'package.json' %}",
    upwards: "{% include '../package.json' %}",
  }
  for (const [name, text] of Object.entries(bad)) {
    const began = Date.now()
    const saved = await post('/api/templates', { name, subject: 's', html: 'h', text })
    const answer =
      saved.status === 201 ? await post(`/api/templates/${name}/preview`, { contact: 'ann@example.com' }) : saved
    assert.equal(answer.status, 422, `${name}: ${JSON.stringify(answer.body).slice(0, 300)}`)
    assert.ok(answer.body.errors.text[0].length < 300)
    assert.ok(Date.now() - began < 30_000, name)
  }
})

test('variables that nobody gives are named in a long text with many, and left out where there is hardly anything else', async (t) => {
  const { post } = await testApp(t)
  await post('/api/contacts', { email: 'ann@example.com' })
  const preview = async (text: string) => {
    const html = `{% if false %}${text}{% endif %}` // what is not shown is named as well, and takes no time
    const answer = await post('/api/templates/welcome_email/preview', { contact: 'ann@example.com', html })
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    return answer.body.undefined_variables as string[]
  }
  const row = (at: number) => `${'<td>'.repeat(100)}{{ contact.f${at} }}{% raw %}{{ no }}{% endraw %}{{ "{{ no }}" }}\n`

  const long = await preview(Array.from({ length: 300 }, (_, at) => row(at)).join(''))
  assert.deepEqual([long.length, long[0], long.at(-1)], [300, 'contact.f0', 'contact.f299'])
  assert.deepEqual(await preview('{{ a }}'.repeat(20_000)), [])
})

test('what was saved before can be seen, and saved again', async (t) => {
  const { get, post, patch, del, accountId, another } = await testApp(t)
  await post('/api/templates', { name: 'offer', ...source, subject: 'one' })
  for (const subject of ['two', 'three']) await patch('/api/templates/offer', { subject })

  const { body } = await get('/api/templates/offer/versions?per_page=2')

  const shown = (body.data as { version: number; actor: string }[]).map(({ version, actor }) => [version, actor])
  assert.deepEqual([shown, body.total], [[3, 2].map((version) => [version, 'token:1']), 3])
  const first = (await get('/api/templates/offer?version=1')).body.data
  assert.deepEqual([first.version, first.subject], [1, 'one'])
  assert.equal((await get('/api/templates/offer?version=0')).status, 404)
  assert.equal((await get('/api/templates/offer?version=4')).status, 404)
  assert.equal((await get('/api/templates/nothing/versions')).status, 404)
  assert.equal((await (await another()).call('GET', '/api/templates/offer?version=1')).status, 404)

  assert.deepEqual((await get(`${CONFIRM}/versions`)).body.data, [])
  const came = (await get(CONFIRM)).body.data
  await patch(CONFIRM, { subject: 'Changed' })
  assert.deepEqual((await get(`${CONFIRM}?version=0`)).body.data, came)
  assert.deepEqual([came.built_in, first.built_in], [true, false])
  await del(CONFIRM)
  const [entry] = (await get(`/api/accounts/${accountId}/audit`)).body.data
  assert.deepEqual([entry.action, entry.data], ['template_deleted', { template: 'confirm_subscription', versions: 1 }])
})

test('a preview takes texts that are not saved, and has samples of the links that a mail has', async (t) => {
  const { post, get } = await testApp(t, { PUBLIC_URL: 'https://people.example/' })
  await post('/api/contacts', { email: 'ann@example.com', fields: { first_name: 'Ann' } })
  const contact = 'ann@example.com'

  const draft = await post('/api/templates/draft/preview', {
    contact,
    ...source,
    text: '{{ unsubscribe_url }} {{ preferences_url }} {{ confirm_url }}',
  })
  const changed = await post('/api/templates/welcome_email/preview', { contact, subject: '{{ nobody }}' })
  const confirming = await post(`${CONFIRM}/preview`, { contact })
  const request = await post('/api/templates/confirm_request/preview', { contact, variables: { request: 'erase' } })

  assert.deepEqual(draft.body, {
    subject: 'Hello Ann',
    html: '<p>Ann</p>',
    text: 'https://people.example/unsubscribe/sample https://people.example/preferences/sample ',
    undefined_variables: ['confirm_url'],
  })
  assert.equal((await get('/api/templates/draft')).status, 404)
  assert.deepEqual(changed.body.undefined_variables, ['nobody'])
  assert.match(changed.body.text, /Your preferences: https:\/\/people\.example\/preferences\/sample\n/)
  assert.match(confirming.body.text, /\/confirm\/sample\n[\s\S]*7 days/)
  assert.deepEqual(confirming.body.undefined_variables, [])
  assert.match(request.body.text, /delete everything[\s\S]*\/request\/sample[\s\S]*1 day\./)
  const partly = await post('/api/templates/draft/preview', { contact, subject: 'only this' })
  assert.equal(partly.status, 404)
  const bad = await post('/api/templates/welcome_email/preview', { contact, html: '<p>\n{{ x | nope }}' })
  assert.match(bad.body.errors.html[0], /^line 2: undefined filter: nope/)
})
