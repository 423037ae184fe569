import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import sql from 'sql-template-tag'
import { hmac } from '../../lib/secret.ts'
import { keyring, type TestApp, testApp } from '../../test/app.ts'
import { formOf, signUp } from '../../test/forms.ts'
import { took } from '../../test/imports.ts'
import { STATES, type Standing, type State, type StateReason } from './states.ts'
import { type Act, ENTRIES, type Entry, enter, move, type Past, standpointOf, TRANSITIONS } from './transitions.ts'

const REASONS: Record<State, readonly StateReason[]> = {
  none: ['import', 'expired'],
  pending: ['caller', 'import', 'asked', 'form'],
  subscribed: ['caller', 'import', 'confirmed', 'form'],
  unsubscribed: ['caller', 'import', 'bulk', 'withdrawn', 'person', 'complaint'],
  bounced: ['import', 'bounce', 'soft_bounces'],
}

/** Somebody in any state that can be come to. */
const standing: fc.Arbitrary<Standing> = fc
  .constantFrom(...STATES)
  .chain((state) => fc.record({ state: fc.constant(state), state_reason: fc.constantFrom(...REASONS[state]) }))
  .chain((now) =>
    fc.record({
      state: fc.constant(now.state),
      state_reason: fc.constant(now.state_reason),
      state_before:
        standpointOf({ ...now, state_before: null }) === 'excluded' || now.state === 'bounced'
          ? fc.constantFrom<State>(
              'none',
              'pending',
              'subscribed',
              ...(now.state_reason === 'caller' ? ['bounced' as const] : []),
            )
          : fc.constantFrom<State | null>(...(now.state === 'pending' ? [null, 'none' as const] : [null])),
    }),
  )

const FILE_WORDS = ['none', 'pending', 'subscribed', 'unsubscribed', 'bounced'] as const

async function put(
  made: TestApp,
  people: readonly { email: string; now: Standing; externalId?: string }[],
): Promise<void> {
  const rows = people.map(({ email, now, externalId }) => ({ email, ...now, external_id: externalId ?? null }))
  await made.db.query(sql`
    insert into contacts (account_id, email, state, state_reason, state_before, external_id, origin)
    select ${made.accountId}, email, state, state_reason, state_before, external_id, 'test' from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as t (email text, state text, state_reason text, state_before text, external_id text)`)
}

interface Found {
  standing: Standing
  consents: string[]
  types: string[]
}

/** Everyone, with what was recorded of them. */
async function found({ db, accountId }: TestApp): Promise<Map<string, Found>> {
  const rows = await db.query<{ email: string; consents: string[]; types: string[] } & Standing>(sql`
    select c.email, c.state, c.state_reason, c.state_before,
      array(select k.action from consents as k where k.account_id = c.account_id and k.contact_id = c.id) as consents,
      array(select e.type from events as e where e.account_id = c.account_id and e.contact_id = c.id order by e.id) as types
    from contacts as c where c.account_id = ${accountId}`)
  return new Map(
    rows.map(({ email, state, state_reason, state_before, consents, types }) => [
      email,
      { standing: { state, state_reason, state_before }, consents, types },
    ]),
  )
}

/** What the table says of someone who was there. */
function expected(now: Standing, act: Act): Pick<Found, 'standing' | 'consents'> {
  const outcome = move(now, act)
  assert.ok(outcome === undefined || !('refused' in outcome), act)
  return { standing: { ...(outcome?.standing ?? now) }, consents: outcome?.consent ? [outcome.consent] : [] }
}

const people = fc.array(standing, { minLength: 5, maxLength: 20 })

async function emptied(made: TestApp): Promise<void> {
  for (const table of [sql`contacts`, sql`consents`, sql`events`, sql`outbox`, sql`suppressions`])
    await made.db.query(sql`delete from ${table} where account_id = ${made.accountId}`)
}

test('what a file says of someone who is there leads where the table says', async (t) => {
  const made = await testApp(t)
  const property = fc.asyncProperty(people, fc.boolean(), async (standings, updates) => {
    await emptied(made)
    const cases = standings.flatMap((now, at) =>
      FILE_WORDS.map((word) => ({ email: `${word}-${at}@example.com`, now, word })),
    )
    await put(made, cases)

    const file = `email,state\n${cases.map(({ email, word }) => `${email},${word}`).join('\n')}\n`
    await took(made, file, { update_existing: String(updates) })

    const after = await found(made)
    for (const { email, now, word } of cases) {
      const act: Act = word === 'subscribed' && !updates ? 'file_subscribed_new_only' : `file_${word}`
      const { standing, consents } = after.get(email)!
      assert.deepEqual({ standing, consents }, expected(now, act), `${JSON.stringify(now)} ${act}`)
    }
  })
  await fc.assert(property, { numRuns: 15, seed: 6, endOnFailure: true })
})

test('what callers say, one by one and of everyone selected, leads where the table says', async (t) => {
  const made = await testApp(t)
  const property = fc.asyncProperty(people, async (standings) => {
    await emptied(made)
    const acts = ['caller_excludes', 'caller_readmits', 'bulk_excludes'] as const
    const cases = standings.flatMap((now, at) => acts.map((act) => ({ email: `${act}-${at}@example.com`, now, act })))
    await put(made, cases)

    for (const { email, act } of cases)
      if (act !== 'bulk_excludes')
        await made.patch(`/api/contacts/${email}`, { unsubscribed: act === 'caller_excludes' })
    const criteria = { all: [{ field: 'email', op: 'starts_with', value: 'bulk' }] }
    const answer = await made.post('/api/contacts/bulk', { selection: { criteria }, action: { type: 'unsubscribe' } })
    assert.equal(answer.status, 201, JSON.stringify(answer.body))
    await made.runJobs()

    const after = await found(made)
    for (const { email, now, act } of cases) {
      const { standing, consents } = after.get(email)!
      assert.deepEqual({ standing, consents }, expected(now, act), `${JSON.stringify(now)} ${act}`)
    }
  })
  await fc.assert(property, { numRuns: 8, seed: 6, endOnFailure: true })
})

test('an address that has withdrawn makes whoever comes to have it someone who has left', async (t) => {
  const made = await testApp(t)
  const property = fc.asyncProperty(people, async (standings) => {
    await emptied(made)
    const cases = standings.map((now, at) => ({ email: `was-${at}@example.com`, now, externalId: `e${at}` }))
    await put(made, cases)
    for (const at of cases.keys()) {
      const { value, keyId } = hmac(keyring, 'suppression', `is-${at}@example.com`)
      await made.db.query(sql`
        insert into suppressions (account_id, kind, value, key_id, reason, source)
        values (${made.accountId}, 'hmac', ${value}, ${keyId}, 'withdrawn', 'test')`)
    }

    const rows = cases.filter((_, at) => at % 2 === 0).map(({ externalId }) => externalId)
    const file = `external_id,email\n${rows.map((id) => `${id},is-${id.slice(1)}@example.com`).join('\n')}\n`
    await took(made, file, { match_by: 'external_id', update_existing: 'true' })
    for (const at of cases.keys())
      if (at % 2 === 1) await made.patch(`/api/contacts/was-${at}@example.com`, { email: `is-${at}@example.com` })

    const after = await found(made)
    for (const [at, { now }] of cases.entries()) {
      const { standing, consents } = after.get(`is-${at}@example.com`)!
      assert.deepEqual({ standing, consents }, expected(now, 'address_withdrawn'), `${JSON.stringify(now)} ${at}`)
    }
  })
  await fc.assert(property, { numRuns: 8, seed: 6, endOnFailure: true })
})

test('everyone comes in as the table says, by whatever way', async (t) => {
  const made = await testApp(t)
  const pasts: readonly Past[] = ['absent', 'withdrawn', 'erased']
  const acts = Object.keys(ENTRIES) as Entry[]
  const cases = acts.flatMap((act) => pasts.map((past) => ({ act, past, email: `${act}-${past}@example.com` })))
  for (const { past, email } of cases) {
    if (past === 'absent') continue
    const { value, keyId } = hmac(keyring, 'suppression', email)
    await made.db.query(sql`
      insert into suppressions (account_id, kind, value, key_id, reason, source)
      values (${made.accountId}, 'hmac', ${value}, ${keyId}, ${past}, 'test')`)
  }

  for (const { act, email } of cases)
    if (act.startsWith('create'))
      await made.post('/api/contacts', {
        email,
        double_opt_in: act.endsWith('double_opt_in'),
        ...(act.includes('unsubscribed') ? { unsubscribed: true } : {}),
      })
  const rows = cases.filter(({ act }) => act.startsWith('file'))
  await took(made, `email,state\n${rows.map(({ act, email }) => `${email},${act.slice(5)}`).join('\n')}\n`)

  const forms = {
    form: await formOf(made, { double_opt_in: false }),
    form_double_opt_in: await formOf(made),
  }
  for (const { act, email } of cases)
    if (act.startsWith('form')) await signUp(made, forms[act as keyof typeof forms], { email })

  const after = await found(made)
  for (const { act, past, email } of cases) {
    const outcome = enter(act, past)
    const is = after.get(email)
    if ('refused' in outcome) assert.equal(is, undefined, email)
    else if (outcome.standing.state_reason === 'withdrawn') {
      assert.deepEqual(is!.standing, outcome.standing, email)
      assert.deepEqual(is!.consents, [], email)
    } else {
      assert.deepEqual(is!.standing, outcome.standing, email)
      // Whoever comes in as bounced brings no word of their own.
      assert.deepEqual(is!.consents, outcome.consent ? [outcome.consent] : [], email)
    }
  }
})

test('only their own confirmation leads someone who has left anywhere else', () => {
  const property = fc.property(standing, fc.constantFrom(...(Object.keys(TRANSITIONS) as Act[])), (now, act) => {
    const outcome = move(now, act)
    if (outcome === undefined || 'refused' in outcome) return
    const [from, to] = [standpointOf(now), standpointOf(outcome.standing)]
    if (from === 'left') assert.ok(to === 'left' || act === 'confirms', `${act} leads from left to ${to}`)
    if (to === 'subscribed' && act !== 'confirms')
      assert.ok(
        from === 'none' || from === 'excluded' || (from === 'soft_bounced' && act === 'recovers'),
        `${act} subscribes who was ${from}`,
      )
  })
  fc.assert(property)
})
