import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { RouteOptions } from 'fastify'
import type { Answer, TestApp } from './app.ts'
import { footprint, inhabited, JSON_TYPE } from './inhabited.ts'

// Whatever is sent to whichever route. ANYTHING_RUNS=1000 looks further, from another seed each time.
const RUNS = Number(process.env.ANYTHING_RUNS ?? 25)
const search = (numRuns: number) =>
  ({ numRuns, ...(process.env.ANYTHING_RUNS ? {} : { seed: 20_261 }) }) as fc.Parameters<unknown>

const nasty = fc.constantFrom(
  ...['', ' ', '\0', '\ud800', '__proto__', 'constructor', 'toString', '%', '%00', "';--", '\\', 'a,b', '😀', '1e999'],
  ...['9223372036854775808', 'ann@example.com', 'new@example.com', 'a@b@c.de', 'ext:a1', 'x'.repeat(300), '2026-01-31'],
  ...['created_at', 'age', 'plan', 'Pro', 'first_name', 'subscribed', 'between', 'in', 'is_set', 'within_last', '30d'],
)
const key = fc.oneof(
  nasty,
  fc.constantFrom(
    'all',
    'any',
    'not',
    'field',
    'op',
    'value',
    'tag',
    'list',
    'email',
    'fields',
    'contact',
    'type',
    'name',
  ),
  fc.string({ unit: 'binary', maxLength: 5 }),
)
const scalar = fc.oneof(
  nasty,
  fc.constantFrom(0, -1, 1, 2, -0, 1.5, 1e21, 1e308, 2 ** 53, null, true, false),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.string({ unit: 'binary', maxLength: 8 }),
)
const anything = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'json' },
    scalar,
    fc.array(tie('json'), { maxLength: 3, depthIdentifier: 'json' }),
    fc.dictionary(key, tie('json'), { maxKeys: 3, depthIdentifier: 'json', noNullPrototype: true }),
    fc.record({ field: nasty, op: nasty, value: tie('json') }, { requiredKeys: ['field'] }),
  ),
})).json

/** Bodies with the keys that a route takes, each with whatever may or may not be right, and sometimes with others. */
function bodiesFor(schema: { properties?: Record<string, unknown> }, ids: unknown[]): fc.Arbitrary<unknown> {
  const right: Record<string, fc.Arbitrary<unknown>> = {
    email: fc.constantFrom('ann@example.com', 'new@example.com', 'bob@example.com'),
    contact_ids: fc.shuffledSubarray(ids),
    fields: fc.dictionary(fc.constantFrom('age', 'plan', 'first_name', 'city'), scalar),
    type: fc.constantFrom('text', 'integer', 'number', 'select', 'date', 'boolean'),
    name: fc.constantFrom('Age', 'x', 'Members'),
    list_ids: fc.constant([2]),
  }
  const entries = Object.keys(schema.properties ?? {}).map((name) => [
    name,
    right[name] ? fc.oneof({ weight: 3, arbitrary: right[name] }, anything) : anything,
  ])
  return fc.oneof(
    { weight: 6, arbitrary: fc.record(Object.fromEntries(entries), { requiredKeys: [] }) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.record(Object.fromEntries(entries), { requiredKeys: [] }), key, anything)
        .map(([body, name, value]) => ({ ...body, [name]: value })),
    },
    { weight: 1, arbitrary: anything },
  )
}

/** Never the server's fault; and what is refused has said why and changed nothing. */
async function blameless(made: TestApp, answer: Answer, before: string, told: string): Promise<void> {
  const all = () => `${told}: ${answer.status} ${JSON.stringify(answer.body).slice(0, 500)}`
  assert.ok(answer.status < 500, all())
  if (answer.status < 400) return
  assert.ok(answer.body.errors ?? answer.body.error, all())
  assert.equal(await footprint(made.db), before, `changed something: ${all()}`)
}

test('no body whatever makes any route fail, or do half of something', async (t) => {
  const routes: RouteOptions[] = []
  const made = await inhabited(t, {}, routes)
  const taking = routes.filter(({ schema }) => schema?.body)
  assert.ok(taking.length >= 12, `${taking.length} routes take a body`)

  for (const route of taking) {
    for (const method of [route.method].flat()) {
      const bodies = bodiesFor(route.schema!.body as object, [made.id, 'bob@example.com', 'ext:a1'])
      const property = fc.asyncProperty(bodies, async (body) => {
        const url = route.url.replace(':contact', 'ann@example.com').replace(/:\w+/, '1')
        const before = await footprint(made.db)
        const text = JSON.stringify(body) ?? ''
        const answer = await made.call(method, url, text, JSON_TYPE)
        await blameless(made, answer, before, `${method} ${url} ${text}`)
      })
      await fc.assert(property, search(RUNS))
    }
  }
})

test('no query and no path whatever makes any route fail', async (t) => {
  const routes: RouteOptions[] = []
  const made = await inhabited(t, {}, routes)
  const word = fc.oneof(nasty, fc.string({ unit: 'binary', maxLength: 6 }), fc.constantFrom('0', '-1', '1', '7', '1.5'))
  const encoded = fc.oneof(
    { weight: 4, arbitrary: word.map((text) => encodeURIComponent(text.toWellFormed())) },
    { weight: 1, arbitrary: fc.constantFrom('%', '%2', '%ff', '%ED%A0%80', '+', '%2B', '[', 'a=b', '&&') },
  )
  const parameter = fc.constantFrom(
    ...['q', 'page', 'per_page', 'cursor', 'sort', 'count', 'list_id', 'tag', 'state', 'subscribed', 'types', 'search'],
    ...['after', 'limit', 'contact'],
    ...[
      'age[gt]',
      'age[between]',
      'created_at[lt]',
      'created_at[within_last]',
      'email[contains]',
      'plan[in]',
      'sendable',
    ],
    ...['__proto__', 'constructor', 'first_name[is_set]', 'external_id[not_in]', 'email_domain'],
  )
  const query = fc.array(fc.tuple(parameter, encoded), { maxLength: 3 })
  const reading = routes.filter(
    ({ method, url, config }) =>
      method === 'GET' &&
      url.startsWith('/api') &&
      !url.endsWith('/stream') && // which does not end
      !(config as { public?: true }).public,
  )
  const removing = routes.filter(({ method, url }) => method === 'DELETE' && url.includes(':'))

  const property = fc.asyncProperty(
    fc.constantFrom(...reading, ...removing),
    query,
    fc.option(fc.tuple(encoded, encoded)),
    async (route, parameters, names) => {
      const known = route.url.replace(':contact', method(route) === 'GET' ? 'ann@example.com' : 'nobody@example.com')
      const [one, two] = names ?? ['1', '1']
      const path = (names ? route.url.replace(':contact', two) : known).replace(
        /:\w+/,
        method(route) === 'GET' ? one : '0',
      )
      const url = `${path}?${parameters.map(([name, value]) => `${name}=${value}`).join('&')}`
      if (method(route) === 'DELETE' && /ann@|ext:a1|ann%40|ext%3Aa1/.test(url)) return
      const before = await footprint(made.db)
      const answer = await made.call(method(route), url)
      await blameless(made, answer, before, `${method(route)} ${url}`)
    },
  )
  await fc.assert(property, search(RUNS * 20))
})

const method = (route: RouteOptions) => String(route.method)
