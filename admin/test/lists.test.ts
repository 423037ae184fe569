import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { type Arity, OPERATORS, OPERATORS_OF } from '../../server/features/criteria/operators.ts'
import { dispatched } from '../../server/test/app.ts'
import { inspect, look, pages } from './browser.ts'

/** A field of each kind of value, with what its operators may take. */
const SUBJECTS = {
  text: { field: 'city', one: 'Oslo', many: ['Oslo', 'Bergen'], two: [] },
  select: { field: 'plan', one: 'Pro', many: ['Pro', 'Team'], two: [] },
  number: { field: 'age', one: 30, many: [30, 40], two: [20, 50] },
  boolean: { field: 'lead', one: true, many: [], two: [] },
  date: { field: 'born', one: '1990-05-01', many: ['1990-05-01', '1991-06-02'], two: ['1990-01-01', '1999-12-31'] },
  moment: { field: 'created_at', one: '2026-01-01', many: [], two: ['2026-01-01', '2026-12-31'] },
} as const

/** A condition for each operator of each kind of value. */
const EVERY_OPERATOR = Object.entries(SUBJECTS).flatMap(([kind, { field, ...values }]) =>
  OPERATORS_OF[kind as keyof typeof OPERATORS_OF].map((op) => {
    const arity: Arity = OPERATORS[op]
    if (arity === 'none') return { field, op }
    return { field, op, value: arity === 'days' ? '30d' : values[arity] }
  }),
)

test('lists and smart lists: conditions put together, counted, written as JSON, followed', async (t) => {
  const made = await pages(t)
  const { page, open } = await made.signedIn('editor')

  await t.test('an account without lists says what they are for', async () => {
    await open('/lists')
    await page.getByRole('heading', { name: 'No lists yet' }).waitFor()
    await look(page, 'lists-empty')
  })

  await made.post('/api/contact_fields', { name: 'Plan', type: 'select', options: ['Free', 'Pro', 'Team'] })
  await made.post('/api/contact_fields', { name: 'City', type: 'text' })
  for (let at = 0; at < 12; at++)
    await made.post('/api/contacts', {
      email: `p${at}@example.com`,
      fields: { plan: at % 3 === 0 ? 'Pro' : 'Free', city: at % 2 ? 'Oslo' : 'Bergen' },
      tags: at % 4 === 0 ? ['vip'] : [],
    })
  await dispatched(made.db)

  await t.test('a list by hand', async () => {
    await page.getByRole('button', { name: 'New list' }).click()
    await page.getByRole('dialog').getByLabel('Name').fill('Newsletter')
    await page.getByRole('dialog').getByRole('button', { name: 'Create' }).click()
    await page.getByRole('heading', { level: 1, name: 'Newsletter' }).waitFor()
    await page.getByText('Nobody is in this list').waitFor()
  })

  await t.test('a smart list by nested conditions, counted as they are written', async () => {
    await page.getByRole('link', { name: 'Lists' }).click()
    await page.getByRole('link', { name: 'New smart list' }).click()
    await page.getByLabel('Name').fill('Pro or Oslo')
    await page.getByText('12 contacts meet this').waitFor()
    await page.getByRole('button', { name: 'Group', exact: true }).click()
    await page.getByRole('combobox', { name: 'What the condition is about' }).click()
    await page.getByRole('option', { name: 'Plan' }).click()
    await page.getByRole('combobox', { name: 'Value', exact: true }).click()
    await page.getByRole('option', { name: 'Pro', exact: true }).click()
    await page.getByText('4 contacts meet this').waitFor()
    let answer = () => {}
    await page.route('**/contact_lists/preview', async (route) => {
      await new Promise<void>((resolve) => {
        answer = resolve
      })
      await route.continue().catch(() => {}) // who asked may have given it up
    })
    await page.getByRole('button', { name: 'Condition', exact: true }).first().click()
    await page.getByText('Counting… Before this change: 4', { exact: true }).waitFor()
    assert.equal(
      await page.getByText('contacts meet this').count(),
      0,
      'a number of other criteria is not shown as theirs',
    )
    await page.unroute('**/contact_lists/preview')
    answer()
    await page.getByText(/needs a value/).waitFor()
    const about = page.getByRole('combobox', { name: 'What the condition is about' }).nth(1)
    await about.click()
    await page.getByRole('option', { name: 'City' }).click()
    await page
      .getByRole('textbox', { name: 'Value', exact: true })
      .or(page.getByRole('combobox', { name: 'Value', exact: true }))
      .nth(1)
      .fill('OS')
    await page.getByRole('option', { name: 'Oslo 6' }).click()
    await page.getByText('8 contacts meet this').waitFor()
    await page.getByText('Contacts where (Plan is Pro or City is Oslo).').waitFor()
    await page.keyboard.press('Escape')
    await inspect(page, 'smart-list-builder')
  })

  await t.test('the same as JSON, both ways; what is wrong is told where it is', async () => {
    await page.getByText('JSON', { exact: true }).click()
    const json = page.getByLabel('Criteria as JSON')
    assert.deepEqual(JSON.parse(await json.inputValue()), {
      all: [
        {
          any: [
            { field: 'plan', op: 'eq', value: 'Pro' },
            { field: 'city', op: 'eq', value: 'Oslo' },
          ],
        },
      ],
    })
    await json.fill('{"all": [{"field": "plan", "op": "eq", "value": "Gold"}, {"not": {"tag": "vip"}}]}')
    await page.getByText('Builder', { exact: true }).click()
    await page.getByText(/is not one of/).waitFor()
    await look(page, 'smart-list-fault')
    await page.getByText('JSON', { exact: true }).click()
    await json.fill('{"all": [{"field": "plan", "op": "in", "value": ["Pro", "Team"]}, {"not": {"tag": "vip"}}]}')
    await page.getByText('Builder', { exact: true }).click()
    await page.getByText('3 contacts meet this').waitFor()
    await page.getByText('Contacts where Plan is any of Pro or Team and not (the tag is vip).').waitFor()
    await page.getByRole('button', { name: 'Create' }).click()
    await page.getByRole('heading', { level: 1, name: 'Pro or Oslo' }).waitFor()
    await page.getByRole('link', { name: 'p3@example.com' }).waitFor()
    await inspect(page, 'smart-list')
  })

  await t.test('every operator of every kind of value goes through the builder, is counted, and is kept', async () => {
    for (const [name, type] of [
      ['Age', 'integer'],
      ['Lead', 'boolean'],
      ['Born', 'date'],
    ])
      assert.equal((await made.post('/api/contact_fields', { name, type })).status, 201)
    const criteria = { any: EVERY_OPERATOR }
    const list = page.url()
    await open('/lists/new')
    await page.getByLabel('Name').fill('Every operator')
    await page.getByText('JSON', { exact: true }).click()
    await page.getByLabel('Criteria as JSON').fill(JSON.stringify(criteria))
    await page.getByText('Builder', { exact: true }).click()
    await page.getByText(/^\d+ contacts? meets? this$/).waitFor()
    const about = page.getByRole('combobox', { name: 'What the condition is about' })
    assert.equal(await about.count(), EVERY_OPERATOR.length)
    await page.getByText('JSON', { exact: true }).click()
    assert.deepEqual(JSON.parse(await page.getByLabel('Criteria as JSON').inputValue()), criteria)
    await page.getByText('Builder', { exact: true }).click()
    await page.getByRole('button', { name: 'Create' }).click()
    await page.getByRole('heading', { level: 1, name: 'Every operator' }).waitFor()
    const kept = (await made.get('/api/contact_lists?search=Every')).body[0]
    assert.deepEqual(kept.criteria, criteria)
    await page.goto(list)
  })

  await t.test('its criteria are changed, and who enters is seen', async () => {
    await dispatched(made.db)
    await made.patch('/api/contacts/p1@example.com', { fields: { plan: 'Pro' } })
    await dispatched(made.db)
    await page.getByRole('tab', { name: 'Criteria' }).click()
    await page.getByText('4 contacts meet this').waitFor()
    await page.getByRole('tab', { name: 'History' }).click()
    await page.getByText('1 entered, 0 left', { exact: true }).waitFor()
    await page.getByRole('img', { name: /^Contacts over time: .* 0, .* 4$/ }).waitFor()
    const moves = page.getByRole('region', { name: 'Who entered and left' })
    await moves.getByRole('row', { name: /p1@example.com entered/ }).waitFor()
    await inspect(page, 'smart-list-history')
    await page.getByRole('combobox', { name: 'Day' }).click()
    await page.getByRole('option', { name: /1 entered, 0 left$/ }).click()
    await moves.getByRole('link', { name: 'p1@example.com' }).click()
    await page.getByRole('heading', { level: 1, name: 'p1@example.com' }).waitFor()
    await page.getByRole('link', { name: 'Lists' }).click()
    await page.getByRole('link', { name: 'Newsletter' }).waitFor()
    await inspect(page, 'lists')
  })

  await t.test(
    'a smart list becomes one by hand: who is in it stays, and nobody enters by criteria any more',
    async () => {
      await page.getByRole('link', { name: 'Pro or Oslo' }).click()
      await page.getByRole('button', { name: 'More' }).click()
      await page.getByRole('menuitem', { name: 'Turn into a list by hand' }).click()
      const dialog = page.getByRole('dialog')
      await dialog.getByText('The 4 contacts who are in it now stay in it', { exact: false }).waitFor()
      await look(page, 'smart-list-convert')
      await dialog.getByRole('button', { name: 'Turn into a list by hand' }).click()
      await page.getByText('It is a list by hand now, with 4 contacts').waitFor()
      await page.getByRole('tab', { name: 'Criteria' }).waitFor({ state: 'hidden' })
      await made.patch('/api/contacts/p2@example.com', { fields: { plan: 'Pro' } })
      const [list] = (await made.get('/api/contact_lists')).body.filter(({ name }: { name: string }) =>
        /Oslo/.test(name),
      )
      assert.deepEqual([list.type, list.contacts_count, list.criteria], ['static', 4, null])
    },
  )

  await t.test('of many, about how many is told at once, and then exactly', async () => {
    await made.db.query(sql`
      insert into contacts (account_id, email, state, origin)
      select ${made.accountId}, 'm' || n || '@example.org', 'subscribed', 'test' from generate_series(1, 60000) as n`)
    await made.db.query(sql`
      insert into events (account_id, contact_id, type, types, name)
      select account_id, id, 'custom', '{custom}', 'Bought' from contacts
      where account_id = ${made.accountId} and email like 'm%0@example.org'`)
    let count = () => {}
    const isAsked = new Promise<void>((resolve) => {
      count = resolve
    })
    await page.route('**/contact_lists/preview', async (route) => {
      if (route.request().postDataJSON().count === 'exact') await isAsked
      await route.continue().catch(() => {}) // who asked may have given it up
    })
    await open('/lists/new')
    await page.getByText('JSON', { exact: true }).click()
    await page.getByLabel('Criteria as JSON').fill('{"event": "Bought", "count": {"gte": 1}}')
    await page.getByText(/^About [\d,]+ contacts meet this$/).waitFor()
    await page
      .getByText(/@example\.org$/)
      .first()
      .waitFor()
    await look(page, 'smart-list-estimated')
    count()
    await page.getByText('6,000 contacts meet this', { exact: true }).waitFor()
    await page.unroute('**/contact_lists/preview')
  })

  await t.test('a list is deleted, its people stay', async () => {
    await open('/lists')
    await page.getByRole('link', { name: 'Newsletter' }).click()
    await page.getByRole('button', { name: 'More' }).click()
    await page.getByRole('menuitem', { name: 'Delete the list' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Delete the list' }).click()
    await page.getByText('Newsletter deleted').waitFor()
    await page.getByRole('link', { name: 'Pro or Oslo' }).waitFor()
  })
})
