import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import type { Database } from '../../db/database.ts'
import { hmac } from '../../lib/secret.ts'
import { keyring, testApp } from '../../test/app.ts'
import { applied, countsOf, person, run, sent, took } from '../../test/imports.ts'
import { waitsForLocks } from '../../test/locks.ts'

/** Who somebody is before a file names them. */
const STARTS = [
  'absent',
  'withdrawn',
  'erased',
  'none',
  'pending',
  'subscribed',
  'left',
  'excluded',
  'bounced',
] as const
type Start = (typeof STARTS)[number]
const WORDS = ['', 'subscribed', 'unsubscribed', 'none', 'pending', 'bounced'] as const
type Word = (typeof WORDS)[number]

const STATE_OF: Partial<Record<Start, string>> = { left: 'unsubscribed', excluded: 'unsubscribed' }
const REASON_OF: Partial<Record<Start, string>> = { left: 'link', excluded: 'caller' }

interface Outcome {
  state: string | null
  action: 'created' | 'updated' | 'unchanged' | 'suppressed'
  kept: boolean
}

/** What the design says, without a database. */
function expected(start: Start, word: Word, updates: boolean): Outcome {
  const wanted = word === '' ? 'subscribed' : word
  const isGone = wanted === 'unsubscribed' || wanted === 'bounced'
  if (start === 'erased') return { state: null, action: 'suppressed', kept: false }
  if (start === 'withdrawn')
    return { state: wanted === 'bounced' ? 'bounced' : 'unsubscribed', action: 'created', kept: !isGone }
  if (start === 'absent') return { state: wanted, action: 'created', kept: false }
  const before = STATE_OF[start] ?? start
  const isOut = before === 'unsubscribed' || before === 'bounced'
  let state = before
  if (!isOut && isGone) state = wanted
  if (before === 'none' && word === 'subscribed' && updates) state = 'subscribed'
  return { state, action: state === before ? 'unchanged' : 'updated', kept: isOut && wanted === 'subscribed' }
}

async function mark(db: Database, accountId: number, email: string, reason: 'withdrawn' | 'erased'): Promise<void> {
  const { value, keyId } = hmac(keyring, 'suppression', email)
  await db.query(sql`
    insert into suppressions (account_id, kind, value, key_id, reason, source)
    values (${accountId}, 'hmac', ${value}, ${keyId}, ${reason}, 'test')`)
}

test('no file subscribes anyone who has left, whatever it says of them, tried or done', async (t) => {
  const made = await testApp(t)
  for (const updates of [false, true]) {
    const tenant = { ...made, ...(await made.another()) }
    const world = {
      ...tenant,
      get: (url: string) => tenant.call('GET', url),
      post: (url: string, body?: unknown) => tenant.call('POST', url, body),
    }
    const { accountId, db } = world
    const cases = STARTS.flatMap((start) =>
      WORDS.map((word) => ({ start, word, email: `${start}-${word}@example.com` })),
    )
    for (const { start, email } of cases) {
      if (start === 'withdrawn' || start === 'erased') await mark(db, accountId, email, start)
      else if (start !== 'absent')
        await db.query(sql`
          insert into contacts (account_id, email, state, state_reason, state_before, origin)
          values (${accountId}, ${email}, ${STATE_OF[start] ?? start}, ${REASON_OF[start] ?? null}, ${start === 'excluded' ? 'subscribed' : null}, 'test')`)
    }
    const file = `email,state\n${cases.map(({ email, word }) => `${email},${word}`).join('\n')}\n`

    const tried = await took(world, file, { update_existing: String(updates), dry_run: 'true' })
    const done = await applied(world, tried.id)

    const outcomes = cases.map(({ start, word }) => expected(start, word, updates))
    const count = (is: (outcome: Outcome) => boolean) => outcomes.filter(is).length
    const counts = Object.entries({
      rows_read: cases.length,
      created: count(({ action }) => action === 'created'),
      updated: count(({ action }) => action === 'updated'),
      unchanged: count(({ action }) => action === 'unchanged'),
      suppressed: count(({ action }) => action === 'suppressed'),
      kept_unsubscribed: count(({ kept }) => kept),
    }).filter(([, value]) => value > 0)
    assert.deepEqual(countsOf(done), Object.fromEntries(counts))
    assert.deepEqual(countsOf(tried), countsOf(done), 'the trial has said so')
    const found = await db.query<{ email: string; state: string }>(
      sql`select email, state from contacts where account_id = ${accountId} order by id`,
    )
    const states = new Map(found.map(({ email, state }) => [email, state]))
    for (const [nth, { email }] of cases.entries())
      assert.equal(states.get(email) ?? null, outcomes[nth]!.state, `${email}, updates: ${updates}`)

    const consents = await db.query<{ email: string; action: string; grade: string; source: string; line: number }>(sql`
      select c.email, k.action, k.grade, k.source, (k.data ->> 'line')::int as line
      from consents as k join contacts as c on c.account_id = k.account_id and c.id = k.contact_id where k.account_id = ${accountId} order by line`)
    const asserted = cases.flatMap(({ start, email }, at) => {
      const { state, action } = outcomes[at]!
      const isTold = (action === 'created' && start === 'absent') || action === 'updated'
      if (!isTold || (state !== 'subscribed' && state !== 'unsubscribed')) return []
      return [
        {
          email,
          action: state === 'subscribed' ? 'granted' : 'withdrawn',
          grade: 'asserted',
          source: 'import',
          line: at + 2,
        },
      ]
    })
    assert.deepEqual(consents, asserted)

    // What a caller may take back is what a caller or a file has said, never what the person did.
    for (const email of [
      'withdrawn-@example.com',
      'withdrawn-unsubscribed@example.com',
      'left-unsubscribed@example.com',
    ]) {
      await world.call('PATCH', `/api/contacts/${email}`, { unsubscribed: false })
      assert.equal((await person(world, email)).state, 'unsubscribed', email)
    }
  }
})

test('evidence of permission comes from the row, else from the options, and nothing of who was erased is kept', async (t) => {
  const made = await testApp(t)
  const { db, accountId } = made
  await mark(db, accountId, 'erased@example.com', 'erased')
  const file = [
    'email,first_name,consent_at,consent_ip,consent_source',
    'a@example.com,Ann,2024-02-03 10:00,10.0.0.1,fair',
    'b@example.com,Bob,,,',
    'erased@example.com,Secret,,,',
    'erased@example.com,Secret2,,,',
  ].join('\n')

  const done = await took(made, file, {
    consent: '{"source":"shop","obtained_at":"2020-01-01","wording":"Yes, mail me"}',
  })

  assert.deepEqual(countsOf(done), { rows_read: 4, created: 2, duplicate: 1, suppressed: 1 })
  const consents = await db.query(sql`
    select action, grade, source, host(ip) as ip, at, data from consents order by data -> 'line'`)
  assert.deepEqual(consents, [
    {
      action: 'granted',
      grade: 'asserted',
      source: 'import',
      ip: '10.0.0.1',
      at: new Date('2024-02-03T10:00:00Z'),
      data: { import_id: done.id, line: 2, source: 'fair' },
    },
    {
      action: 'granted',
      grade: 'asserted',
      source: 'import',
      ip: null,
      at: new Date('2020-01-01T00:00:00Z'),
      data: { import_id: done.id, line: 3, source: 'shop' },
    },
  ])
  const [kept] = await db.query<{ text: string }>(sql`
    select string_agg(r::text, ' ') || (select coalesce(string_agg(e.data::text, ' '), '') from events as e) as text from change_rows as r`)
  assert.doesNotMatch(kept!.text, /erased@|Secret/)
  assert.equal((await made.get(`/api/contact_imports/${done.id}`)).body.options.consent.wording, 'Yes, mail me')
})

test('who has left a list does not come back into it, and is counted; into other lists they come', async (t) => {
  const made = await testApp(t)
  const [list, other] = [
    await made.post('/api/contact_lists', { name: 'A' }),
    await made.post('/api/contact_lists', { name: 'B' }),
  ].map(({ body }) => body.id)
  await made.post('/api/contacts', { email: 'known@example.com' })
  for (const email of ['known@example.com', 'new@example.com'])
    await made.db.query(
      sql`insert into list_opt_outs (account_id, list_id, email) values (${made.accountId}, ${list}, ${email})`,
    )
  const file = 'email,lists\nknown@example.com,B\nNEW@example.com,\nfree@example.com,b\n'

  const tried = await took(made, file, { list_id: String(list), dry_run: 'true' })
  const done = await applied(made, tried.id)
  const again = await took(made, file, { list_id: String(list) })

  assert.equal(done.phase, 'finished', done.problem)
  assert.deepEqual(countsOf(done), { rows_read: 3, created: 2, updated: 1, opted_out: 2 })
  assert.deepEqual(countsOf(tried), countsOf(done))
  assert.deepEqual(countsOf(again), { rows_read: 3, unchanged: 3, opted_out: 2 })
  assert.deepEqual((await person(made, 'known@example.com')).list_ids, [other])
  assert.deepEqual((await person(made, 'new@example.com')).list_ids, [])
  assert.deepEqual((await person(made, 'free@example.com')).list_ids, [list, other])
})

/** Chunks before the one in which something happens, all of new people: by what they were, it expects such people as well. */
const EARLIER = Array.from({ length: 6 }, (_, n) => `a${n}@example.com`)

for (const [where, earlier] of [
  ['', []],
  [', in a file that has only brought new people so far', EARLIER],
] as const)
  test(`an erasure at the very moment in which its person is being entered is not missed${where}`, async (t) => {
    const made = await testApp(t)
    const { db, accountId } = made
    const file = ['email', ...earlier, 'ann@example.com', 'bob@example.com', 'zoe@example.com'].join('\n')
    const { id } = await sent(made, file)
    let running: Promise<unknown> | undefined
    const held = db.transaction(async (trx) => {
      await trx.query(
        sql`insert into contacts (account_id, email, state, origin) values (${accountId}, 'zoe@example.com', 'none', 'test')`,
      )
      running = run(made, id, { chunkRows: 3 })
      await waitsForLocks(db, 1)
      await mark(db, accountId, 'ann@example.com', 'erased')
      await mark(db, accountId, 'bob@example.com', 'withdrawn')
      throw new Error('undone')
    })
    await assert.rejects(held, /undone/)
    await running

    const done = (await made.get(`/api/contact_imports/${id}`)).body
    const [rows, created] = [earlier.length + 3, earlier.length + 2]
    assert.deepEqual(countsOf(done), { rows_read: rows, created, suppressed: 1, kept_unsubscribed: 1 })
    const found = await db.query(
      sql`select email, state, state_reason from contacts where email <> all(${[...earlier]}::text[]) order by email`,
    )
    assert.deepEqual(found, [
      { email: 'bob@example.com', state: 'unsubscribed', state_reason: 'withdrawn' },
      { email: 'zoe@example.com', state: 'subscribed', state_reason: 'import' },
    ])
  })
