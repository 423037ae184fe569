import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Locator, Page } from 'playwright-core'
import sql from 'sql-template-tag'
import { waitsForLocks, whileHeld } from '../../server/test/locks.ts'
import { until } from '../../server/test/until.ts'
import { accessible, DESKTOP, inspect, look, PHONE, pages, picture } from './browser.ts'

const PEOPLE = 640

/** Fails if a toast lies over the button at the end of a dialog that fills the window, or of one on a phone. */
async function leavesRoom(page: Page, toast: Locator): Promise<void> {
  for (const size of [{ width: DESKTOP.width, height: 440 }, PHONE]) {
    await page.setViewportSize(size)
    await toast.hover() // which it stays for
    await page.getByRole('button', { name: 'Add contact' }).press('Enter')
    const dialog = page.getByRole('dialog')
    const last = dialog.getByRole('button', { name: 'Add contact' })
    await last.focus()
    await picture(page, `toast-${size.width}`)
    const [over, under, around] = [await toast.boundingBox(), await last.boundingBox(), await dialog.boundingBox()]
    assert.ok(over && under && around) // in pixels, and parts of them
    assert.ok(
      under.y + under.height < over.y + 1,
      `the button ends at ${under.y + under.height}, the toast begins at ${over.y}`,
    )
    assert.ok(
      around.y + around.height < over.y + 1,
      `the dialog ends at ${around.y + around.height}, the toast begins at ${over.y}`,
    )
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'hidden' })
  }
  await page.setViewportSize(DESKTOP)
}

test('contacts: found, filtered, chosen, changed in bulk and taken back, edited in place', async (t) => {
  const made = await pages(t)
  const { open: openEmpty, page: emptyPage } = await made.signedIn('editor')
  await openEmpty('/contacts')
  await emptyPage.getByRole('heading', { name: 'No contacts yet' }).waitFor()
  await inspect(emptyPage, 'contacts-empty')

  await made.post('/api/contact_fields', { name: 'City', type: 'text' })
  await made.post('/api/contact_fields', { name: 'Plan', type: 'select', options: ['Free', 'Pro', 'Team'] })
  await made.post('/api/contact_fields', { name: 'Age', type: 'integer' })
  const contacts = Array.from({ length: PEOPLE }, (_, at) => ({
    email: `person${String(at).padStart(3, '0')}@example.com`,
    fields: { city: at % 2 ? 'Oslo' : 'Bergen', plan: ['Free', 'Pro', 'Team'][at % 3], age: 20 + (at % 50) },
    tags: at % 5 === 0 ? ['lead'] : ['customer'],
  }))
  const { id } = (await made.post('/api/contact_imports', { contacts })).body
  await until(async () => (await made.get(`/api/contact_imports/${id}`)).body.phase === 'finished')

  const { page, open } = await made.signedIn('editor')
  const rows = page.getByRole('row')
  await open('/contacts')

  await t.test('the table shows the newest first and says how many there are', async () => {
    await page.getByText(`${PEOPLE} contacts`, { exact: true }).waitFor()
    await page.getByRole('link', { name: 'person639@example.com' }).waitFor()
    await inspect(page, 'contacts')
  })

  await t.test('search as one types, in the address of the page', async () => {
    await page.getByLabel('Search by name or address').fill('person01')
    await page.getByText('10 contacts', { exact: true }).waitFor()
    assert.match(page.url(), /q=person01/)
    await page.getByLabel('Search by name or address').fill('nobody at all')
    await page.getByRole('heading', { name: 'Nobody found' }).waitFor()
    await accessible(page, 'nobody found')
    await page.getByRole('button', { name: 'Show everybody' }).click()
    await page.getByText(`${PEOPLE} contacts`, { exact: true }).waitFor()
    assert.equal(await page.getByLabel('Search by name or address').inputValue(), '')
  })

  await t.test('sorting, and scrolling through pages by cursor to the very end', async () => {
    await page.getByRole('button', { name: 'Sort by Email' }).click()
    await page.getByRole('link', { name: 'person000@example.com' }).waitFor()
    await page.getByRole('table').getByRole('rowgroup').focus()
    const last = page.getByRole('link', { name: 'person639@example.com' })
    await until(async () => {
      await page.keyboard.press('End')
      return last.isVisible()
    })
    // Whoever looks at someone and comes back is where they were, however far that is.
    await last.click()
    await page.getByRole('heading', { level: 1, name: 'person639@example.com' }).waitFor()
    await page.goBack()
    await last.waitFor()
    await page.getByRole('table').getByRole('rowgroup').focus()
    await page.keyboard.press('Home')
    await page.getByRole('link', { name: 'person000@example.com' }).waitFor()
  })

  await t.test('a filter says in words what it does and how many it finds', async () => {
    await page.getByRole('button', { name: 'Filter' }).click()
    const filter = page.getByRole('dialog')
    await filter.getByRole('button', { name: 'Condition', exact: true }).click()
    await filter.getByRole('combobox', { name: 'What the condition is about' }).click()
    await page.getByRole('option', { name: 'City' }).click()
    await filter.getByLabel('Value', { exact: true }).fill('Oslo')
    await filter.getByText('320 contacts meet this').waitFor()
    await filter.getByText('Contacts where City is Oslo.').waitFor()
    await inspect(page, 'contacts-filter')
    await filter.getByRole('button', { name: 'Show 320 contacts' }).click()
    await page.getByText('Contacts where City is Oslo', { exact: true }).waitFor()
    assert.match(decodeURIComponent(page.url()), /"field":"city"/)
  })

  await t.test('a view keeps filter, order and columns under a name', async () => {
    await page.getByRole('button', { name: 'Views' }).click()
    await page.getByRole('menuitem', { name: 'Save this view…' }).click()
    await page.getByRole('dialog').getByLabel('Name').fill('People in Oslo')
    await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
    await page.getByText('View “People in Oslo” saved').waitFor()
    await page.getByRole('button', { name: 'Clear the filter' }).click()
    await page.getByText(`${PEOPLE} contacts`, { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Views' }).click()
    await page.getByRole('menuitem', { name: 'People in Oslo' }).click()
    await page.getByText('Contacts where City is Oslo', { exact: true }).waitFor()
  })

  await t.test('all that is found is changed at once, with its number before and an undo after', async () => {
    await page.getByLabel('Select all that are shown').check()
    await page.getByRole('button', { name: 'Select all 320 that are found' }).click()
    await page.getByText('All 320 selected').waitFor()
    await look(page, 'contacts-selected')
    await page.getByRole('button', { name: 'Set a field' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Field').fill('Plan')
    await page.getByRole('option', { name: 'Plan' }).click()
    await dialog.getByLabel('New value').click()
    await page.getByRole('option', { name: 'Team' }).click()
    await dialog.getByRole('button', { name: 'See what would change' }).click()
    await dialog.getByText(/^\d+ contacts will change$/).waitFor()
    await look(page, 'contacts-bulk')
    await dialog.getByRole('button', { name: /^Change \d+ contacts$/ }).click()
    await page.getByText(/^\d+ contacts changed$/).waitFor()
    const team = async () => (await made.get('/api/contacts?plan=Team&city=Oslo')).body.total
    assert.equal(await team(), 320)
    await leavesRoom(page, page.getByRole('alert').filter({ hasText: /contacts changed/ }))
    await page.getByRole('button', { name: 'Undo' }).click()
    await page.getByText(/^Undone for/).waitFor()
    await until(async () => (await team()) < 320)
  })

  await t.test('a cell is edited in place', async () => {
    await page.goto(`/accounts/${made.accountId}/contacts?q=person001`)
    await page.getByRole('link', { name: 'person001@example.com' }).waitFor()
    await page.getByRole('button', { name: 'Columns' }).click()
    await page.getByRole('checkbox', { name: 'City' }).check()
    await accessible(page, 'the choice of columns')
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Edit City of person001@example.com' }).click()
    await page.getByRole('textbox', { name: 'Edit City of person001@example.com' }).fill('Tromsø')
    await page.keyboard.press('Enter')
    await page.getByRole('cell').getByText('Tromsø', { exact: true }).waitFor()
    await page.locator('button[aria-label="Edit City of person001@example.com"]:focus').waitFor()
    assert.equal((await made.get('/api/contacts/person001@example.com')).body.data.fields.city, 'Tromsø')
  })

  await t.test('a cell that someone else has changed meanwhile is not written over', async () => {
    await made.patch('/api/contacts/person001@example.com', { tags: ['vip'], fields: { city: 'Rome' } })
    await page.getByRole('button', { name: 'Edit City of person001@example.com' }).click()
    await page.getByRole('textbox', { name: 'Edit City of person001@example.com' }).fill('Bodø')
    await page.keyboard.press('Enter')
    await page.getByText('Someone else was faster: City is Rome now.', { exact: false }).waitFor()
    await made.patch('/api/contacts/person001@example.com', { tags: [] })
    await page.getByRole('button', { name: 'Edit City of person001@example.com' }).click()
    await page.getByRole('textbox', { name: 'Edit City of person001@example.com' }).fill('Bodø')
    await page.keyboard.press('Enter')
    await page.getByRole('cell').getByText('Bodø', { exact: true }).waitFor()
    assert.equal((await made.get('/api/contacts/person001@example.com')).body.data.fields.city, 'Bodø')
  })

  await t.test('someone is added by hand; a fault is told at its input', async () => {
    await page.getByRole('button', { name: 'Add contact' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Email address').fill('person001@example.com')
    await dialog.getByRole('button', { name: 'Add contact' }).click()
    await dialog.getByText(/taken|already/).waitFor()
    await look(page, 'contact-create')
    await dialog.getByLabel('Email address').fill('new@example.com')
    await dialog.getByRole('button', { name: 'Add contact' }).click()
    await page.getByText('new@example.com added').waitFor()
    await page.locator('button:focus', { hasText: 'Add contact' }).waitFor()
  })

  await t.test('all but one are chosen; an act is stopped while it runs, and does no more', async () => {
    await made.db.query(sql`
      insert into contacts (account_id, email, state, fields, tags, origin)
      select ${made.accountId}, 'crowd' || n || '@example.com', 'subscribed', '{}', '{}', 'api' from generate_series(1, 300) as n`)
    await page.goto(`/accounts/${made.accountId}/contacts?q=crowd&sort=created_at`)
    await page.getByText('300 contacts', { exact: true }).waitFor()
    await page.getByLabel('Select all that are shown').check()
    await page.getByRole('button', { name: 'Select all 300 that are found' }).click()
    await page.getByLabel('Select crowd1@example.com').uncheck()
    await page.getByText('All 300 but 1 selected').waitFor()
    await page.getByRole('button', { name: 'Add tags' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('combobox', { name: 'Tags' }).fill('crowd')
    await page.keyboard.press('Enter')
    await dialog.getByRole('button', { name: 'See what would change' }).click()
    const apply = dialog.getByRole('button', { name: 'Change 299 contacts' })
    await apply.waitFor()
    const held = sql`select from contacts where account_id = ${made.accountId} and email = 'crowd2@example.com' for update`
    await whileHeld(made.db, held, async () => {
      // An account's acts take turns, and the one before waits for who is held: so this one runs, and gets nowhere.
      const before = { selection: { q: 'crowd2@' }, action: { type: 'add_tags', tags: ['first'] } }
      assert.equal((await made.post('/api/contacts/bulk', before)).status, 201)
      await waitsForLocks(made.db, 1)
      await apply.click()
      await dialog.getByText('0 of 299').waitFor()
      await look(page, 'contacts-bulk-running')
      await dialog.getByRole('button', { name: 'Stop' }).click()
      await page.getByText('Stopped after 0 contacts').waitFor()
    })
    await until(async () => (await made.get('/api/contacts?tag=first')).body.total === 1)
    assert.equal((await made.get('/api/contacts?tag=crowd')).body.total, 0)
  })

  await t.test('an act that is stopped halfway is undone as far as it came', async () => {
    const MANY = 8300 // more than four chunks
    await made.db.query(sql`
      insert into contacts (account_id, email, state, fields, tags, origin)
      select ${made.accountId}, 'half' || n || '@example.org', 'subscribed', '{}', '{}', 'api' from generate_series(1, ${MANY}::int) as n`)
    const tagged = async () => (await made.get('/api/contacts?tag=half&count=exact')).body.total as number
    await page.goto(`/accounts/${made.accountId}/contacts?q=half`)
    await page.getByText('8,300 contacts', { exact: true }).waitFor()
    await page.getByLabel('Select all that are shown').check()
    await page.getByRole('button', { name: 'Select all 8,300 that are found' }).click()
    await page.getByRole('button', { name: 'Add tags' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('combobox', { name: 'Tags' }).fill('half')
    await page.keyboard.press('Enter')
    await dialog.getByRole('button', { name: 'See what would change' }).click()
    const apply = dialog.getByRole('button', { name: 'Change 8,300 contacts' })
    await apply.waitFor()
    const oneOfTheSecondChunk = sql`
      select from contacts where account_id = ${made.accountId} and id = (
        select id from contacts where account_id = ${made.accountId} and email like 'half%' order by id offset 2500 limit 1) for update`
    await whileHeld(made.db, oneOfTheSecondChunk, async () => {
      await apply.click()
      await dialog.getByText('2,000 of 8,300').waitFor()
      await waitsForLocks(made.db, 1)
      await dialog.getByRole('button', { name: 'Stop' }).click()
      await waitsForLocks(made.db, 2) // who stops it waits for the chunk that waits
    })
    const told = await page.getByText(/^Stopped after [\d,]+ contacts$/).innerText()
    const touched = Number(told.replace(/\D/g, ''))
    assert.ok(touched > 0 && touched < MANY, told)
    assert.equal(await tagged(), touched, 'whole chunks, and no more')
    await page.getByRole('button', { name: 'Undo' }).click()
    await page.getByText(/^Undone for [\d,]+ contacts/).waitFor()
    await until(async () => (await tagged()) === 0, 60_000)
    await page.goto(`/accounts/${made.accountId}/changes`)
    await page
      .getByRole('row', { name: /Stopped|Cancelled/ })
      .first()
      .waitFor()
  })

  await t.test('a viewer sees everything and nothing to change it with', async () => {
    const viewer = await made.signedIn('viewer')
    await viewer.open('/contacts?q=new@')
    await viewer.page.getByRole('link', { name: 'new@example.com' }).waitFor()
    assert.equal(await viewer.page.getByRole('checkbox').count(), 0)
    assert.equal(await viewer.page.getByRole('button', { name: /Add contact|Edit/ }).count(), 0)
  })
  assert.ok((await rows.count()) > 0)
})
