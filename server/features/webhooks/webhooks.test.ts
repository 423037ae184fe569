import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { testApp } from '../../test/app.ts'

const URL_GIVEN = 'https://hooks.example.com/rollcall?key=1'

test('a webhook is made, read, changed, disabled, enabled and deleted; its secret is shown once', async (t) => {
  const { post, get, patch, del, db, accountId } = await testApp(t)
  await post('/api/contacts', { email: 'a@example.com', fields: { plan: 'Pro' } })

  const made = await post('/api/webhooks', {
    url: URL_GIVEN,
    description: 'CRM',
    types: ['created', 'deleted'],
    criteria: { plan: 'Pro' },
    each: true,
  })
  assert.equal(made.status, 201, JSON.stringify(made.body))
  const { id, secret, created_at, updated_at, position, ...rest } = made.body
  assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/)
  assert.deepEqual(rest, {
    url: URL_GIVEN,
    description: 'CRM',
    types: ['created', 'deleted'],
    criteria: { plan: 'Pro' },
    each: true,
    enabled: true,
    disabled_at: null,
    disabled_reason: null,
    failing_since: null,
    previous_secret_until: null,
  })
  const shown = { ...made.body }
  delete shown.secret
  assert.deepEqual((await get(`/api/webhooks/${id}`)).body, shown)
  assert.deepEqual((await get('/api/webhooks')).body.data, [shown])
  const [stored] = await db.query<{ row: string }>(
    sql`select row_to_json(w)::text as row from webhooks as w where account_id = ${accountId}`,
  )
  assert.ok(!stored!.row.includes(secret.slice(6)), 'the secret is kept sealed')

  const changed = await patch(`/api/webhooks/${id}`, { types: null, criteria: null, each: false, description: null })
  assert.deepEqual(
    [changed.body.types, changed.body.criteria, changed.body.each, changed.body.description, changed.body.url],
    [null, null, false, null, URL_GIVEN],
  )
  const disabled = await patch(`/api/webhooks/${id}`, { enabled: false })
  assert.deepEqual([disabled.body.enabled, disabled.body.disabled_reason], [false, 'by request'])
  assert.equal((await patch(`/api/webhooks/${id}`, { enabled: true })).body.enabled, true)
  assert.equal((await del(`/api/webhooks/${id}`)).status, 204)
  assert.equal((await get(`/api/webhooks/${id}`)).status, 404)
})

test('what can be no webhook is refused, with the place and the cure', async (t) => {
  const { post, get, patch } = await testApp(t)
  const { id } = (await post('/api/webhooks', { url: URL_GIVEN })).body
  const url = URL_GIVEN
  const wrong: [body: object, place: string, says: RegExp][] = [
    [{}, 'url', /can't be blank/],
    [{ url: 5 }, 'url', /must be a string/],
    [{ url: '' }, 'url', /write it whole/],
    [{ url: 'hooks.example.com' }, 'url', /write it whole/],
    [{ url: 'ftp://example.com' }, 'url', /must begin with https/],
    [{ url: 'javascript:alert(1)' }, 'url', /must begin with https/],
    [{ url: 'https://me:secret@example.com' }, 'url', /no user and password/],
    [{ url: 'https://example.com/#x' }, 'url', /no #/],
    [{ url: `https://example.com/${'x'.repeat(2000)}` }, 'url', /too long/],
    [{ url, types: [] }, 'types', /can't be empty/],
    [{ url, types: ['opened'] }, 'types.0', /not included in the list: created/],
    [{ url, types: ['erased'] }, 'types.0', /not included/],
    [{ url, criteria: { nobody: 1 } }, 'criteria.nobody', /is not a field or filter/],
    [{ url, criteria: { all: [{ field: 'state', op: 'gt', value: 1 }] } }, 'criteria.all.0.op', /is not an operator/],
    [{ url, criteria: { list: 99 } }, 'criteria', /not found: 99/],
    [{ url, criteria: 'all' }, 'criteria', /must be an object/],
    [{ url, each: 'yes' }, 'each', /must be a boolean/],
    [{ url, secret: 'whsec_x' }, 'secret', /is not a known key/],
  ]

  for (const [body, place, says] of wrong) {
    const answers = [await post('/api/webhooks', body)]
    if (Object.keys(body).length > 0) answers.push(await patch(`/api/webhooks/${id}`, body))
    for (const answer of answers) {
      assert.equal(answer.status, 422, JSON.stringify([body, answer.body]))
      assert.match(answer.body.errors[place]?.[0] ?? JSON.stringify(answer.body), says)
    }
  }
  assert.equal((await get('/api/webhooks')).body.total, 1)
})

test('addresses that are not of the public internet are refused, however they are written', async (t) => {
  const { post } = await testApp(t)
  const open = await testApp(t, { WEBHOOK_ALLOW_PRIVATE: 'true' })
  const hosts = [
    ...['127.0.0.1', '127.1', '2130706433', '0x7f.1', '0177.0.0.1', '10.0.0.8', '172.16.9.9', '192.168.0.1', '0.0.0.0'],
    ...['169.254.169.254', '100.64.0.1', '[::1]', '[::]', '[fe80::1]', '[fd00::1]', '[::ffff:127.0.0.1]'],
    ...['[::ffff:a9fe:a9fe]', '[64:ff9b::7f00:1]', '[2002:7f00:1::]', 'localhost', 'LOCALHOST.', 'db.localhost'],
  ]

  for (const host of hosts) {
    const url = `http://${host}:9200/x`
    const answer = await post('/api/webhooks', { url })
    assert.equal(answer.status, 422, url)
    assert.match(answer.body.errors.url[0], /must lead to the public internet.*WEBHOOK_ALLOW_PRIVATE=true/)
    assert.equal((await open.post('/api/webhooks', { url })).status, 201, url)
  }
})

test('criteria follow a renamed merge tag, and keep their fields from being deleted', async (t) => {
  const { post, get, patch, del } = await testApp(t)
  const field = (await post('/api/contact_fields', { name: 'Plan', type: 'select', options: ['Free', 'Pro'] })).body
  const criteria = {
    all: [{ plan: 'Pro' }, { not: { any: [{ field: 'PLAN', op: 'is_not_set' }, { state: ['none', 'pending'] }] } }],
  }
  const { id } = (await post('/api/webhooks', { url: URL_GIVEN, criteria })).body

  const path = `/api/contact_fields/${field.id}`
  assert.equal((await patch(path, { merge_tag: 'tier' })).status, 200)
  const renamed = JSON.parse(JSON.stringify(criteria).replace('"plan"', '"tier"').replace('"PLAN"', '"tier"'))
  assert.deepEqual((await get(`/api/webhooks/${id}`)).body.criteria, renamed)
  const refused = await del(path)
  assert.deepEqual(
    [refused.status, refused.body.errors],
    [422, { usage: [`This field is used in the criteria of webhook(s): ${id}.`] }],
  )
  assert.equal((await patch(`/api/webhooks/${id}`, { criteria: null })).status, 200)
  assert.equal((await del(path)).status, 204)
})

test('an account has a bound of webhooks, also when many are made at once', async (t) => {
  const { post, get, db, accountId } = await testApp(t)
  await db.query(sql`
    insert into webhooks (account_id, url, secret, position)
    select ${accountId}, 'https://example.com', '', 0 from generate_series(1, 97)`)

  const answers = await Promise.all(Array.from({ length: 6 }, () => post('/api/webhooks', { url: URL_GIVEN })))

  assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 201, 201, 422, 422, 422])
  assert.equal((await get('/api/webhooks?per_page=1000')).body.total, 100)
})

test('a webhook and its deliveries are none of another account', async (t) => {
  const first = await testApp(t)
  const other = await first.another()
  const { id } = (await first.post('/api/webhooks', { url: URL_GIVEN })).body
  const { id: delivery } = (await first.post(`/api/webhooks/${id}/test`)).body

  for (const [method, path, body] of [
    ['GET', '', undefined],
    ['PATCH', '', { each: true }],
    ['DELETE', '', undefined],
    ['POST', '/rotate_secret', undefined],
    ['POST', '/test', undefined],
    ['POST', '/replay', { after: 'start' }],
    ['GET', '/deliveries', undefined],
    ['GET', `/deliveries/${delivery}`, undefined],
    ['POST', `/deliveries/${delivery}/redeliver`, undefined],
  ] as const) {
    const answer = await other.call(method, `/api/webhooks/${id}${path}`, body)
    assert.equal(answer.status, 404, `${method} ${path}`)
  }
  assert.equal((await other.call('GET', '/api/webhooks')).body.total, 0)
  assert.equal((await first.get(`/api/webhooks/${id}/deliveries/${delivery}`)).status, 200)
})
