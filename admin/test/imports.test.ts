import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect, look, pages } from './browser.ts'

const MESSY = `E-Mail;Vorname;Plan;Notes
Ann <ann@example.com>;Ann;pro;first
bob@example.com;Bob;free;
bob@example.com;Bobby;;again
not an address;Eve;free;
cy@example.com;Cy;gold plan;x
`

test('importing a messy file: mapping, trial, mending, report, and taking it back', async (t) => {
  const made = await pages(t)
  await made.post('/api/contacts', { email: 'cy@example.com', fields: { first_name: 'Cyrus' } })
  await made.post('/api/contacts/fields', { name: 'Plan', type: 'select', options: ['pro', 'free', 'gold'] })
  const { page, open } = await made.signedIn('editor')

  await t.test('an empty account says what can be done', async () => {
    await open('/imports')
    await page.getByText('Nothing has been imported yet').waitFor()
    await inspect(page, 'imports-empty')
    await page.getByRole('link', { name: 'Import a file' }).click()
    await page.getByRole('heading', { name: 'Import a file' }).waitFor()
    await inspect(page, 'import-file')
  })

  await t.test('columns are recognised, can be sent elsewhere, and fields are made in place', async () => {
    await page
      .locator('input[type=file]')
      .setInputFiles({ name: 'people.csv', mimeType: 'text/csv', buffer: Buffer.from(MESSY) })
    const goes = (column: string) => page.getByRole('combobox', { name: `Where ${column} goes` })
    await goes('E-Mail').waitFor()
    assert.equal(await goes('E-Mail').inputValue(), 'Email address')
    assert.equal(await goes('Plan').inputValue(), 'Plan')
    await inspect(page, 'import-columns')
    await goes('Notes').click()
    await page.getByRole('option', { name: 'Create a field…' }).click()
    await page.getByRole('dialog').getByLabel('Name').fill('Remark')
    await page.getByRole('button', { name: 'Create field' }).click()
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
    await page.locator('input[aria-label="Where Notes goes"][value="Remark"]').waitFor()
    await page.getByRole('button', { name: 'Continue' }).click()
  })

  await t.test('nobody is given a permission by not looking', async () => {
    await page.getByRole('button', { name: 'See what would happen' }).click()
    await page.getByText('Choose one').waitFor()
    await page.getByRole('radio', { name: 'They agreed to hear from us' }).click()
    await page.getByText('Say where they agreed', { exact: true }).waitFor()
    await inspect(page, 'import-options')
    await page.getByLabel('Where they agreed').fill('Spring fair')
    await page.getByRole('button', { name: 'See what would happen' }).click()
  })

  const count = (name: string) => page.locator(`[data-count=${name}] .figures`)
  const counts = async (expected: Record<string, string>) => {
    for (const [name, value] of Object.entries(expected))
      await page.locator(`[data-count=${name}] .figures`, { hasText: new RegExp(`^${value}$`) }).waitFor()
  }

  await t.test('the trial tells causes, and mends them with a click each', async () => {
    await page.getByText('What this file would do').waitFor()
    await counts({ created: '1', duplicate: '1', rejected: '3' })
    await inspect(page, 'import-trial')
    await page.getByRole('button', { name: 'Take the address out' }).first().click()
    await counts({ rejected: '2', created: '2' })
    await page.getByLabel('“gold plan” stands for').fill('gold')
    await page.getByRole('button', { name: 'Mend these values' }).click()
    await counts({ rejected: '1', created: '2', updated: '1' })
  })

  await t.test('a reload in the middle loses nothing; the report adds up; rejected rows can be had', async () => {
    await page.reload()
    await page.getByRole('button', { name: 'Import 3 people' }).click()
    await page.reload()
    await page.getByText('What this file did').waitFor()
    await counts({ created: '2', updated: '1', duplicate: '1', rejected: '1' })
    assert.equal(await count('created').count(), 1)
    await page.getByText('5 rows in the file').waitFor()
    await page.getByText('Cyrus → becomes Cy').waitFor()
    await inspect(page, 'import-report')
    const download = page.waitForEvent('download')
    await page.getByRole('link', { name: 'Download rejected rows' }).click()
    assert.match((await download).suggestedFilename(), /errors\.csv$/)
  })

  await t.test('it is taken back, with what would come of it said first', async () => {
    await page.getByRole('button', { name: 'Take it back' }).click()
    await page.getByText('2 people will be removed, and 1 person will get back what they had.').waitFor()
    await page.getByRole('dialog').getByRole('button', { name: 'Take it back' }).click()
    await page.getByText('Taken back', { exact: true }).waitFor()
  })

  await t.test('a file with the same columns is mapped as the one before, if one wants', async () => {
    await open('/imports/new')
    const file = {
      name: 'may.csv',
      mimeType: 'text/csv',
      buffer: Buffer.from(MESSY.replace('Ann;pro;first', 'Ann;free;new')),
    }
    await page.locator('input[type=file]').setInputFiles(file)
    await page.getByText('You have imported a file with these columns before (“people.csv', { exact: false }).waitFor()
    const notes = page.getByRole('combobox', { name: 'Where Notes goes' })
    assert.notEqual(await notes.inputValue(), 'Remark')
    await look(page, 'import-recipe')
    await page.getByRole('button', { name: 'Map it as then' }).click()
    await page.locator('input[aria-label="Where Notes goes"][value="Remark"]').waitFor()
    await page.getByText('Mapped as last time.').waitFor()
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByRole('radio', { name: 'We have no permission yet' }).click()
    await page.getByRole('button', { name: 'See what would happen' }).click()
    await page.getByText('What this file would do').waitFor()
  })

  await t.test('a viewer looks and can not import', async () => {
    const viewer = await made.signedIn('viewer')
    await viewer.open('/imports')
    await viewer.page.getByRole('link', { name: 'people.csv' }).waitFor()
    assert.equal(await viewer.page.getByRole('link', { name: 'Import a file' }).count(), 0)
    await inspect(viewer.page, 'imports')
    await viewer.open('/imports/new')
    await viewer.page.getByText('Importing needs the role of an editor.').waitFor()
  })

  await t.test('the mapping that is kept is seen, and forgotten', async () => {
    await open('/imports#mappings')
    const kept = page.locator('#mappings')
    await kept.getByRole('row', { name: /people\.csv.*Notes/ }).waitFor()
    await kept.getByRole('button', { name: /^Forget people\.csv/ }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('Nothing that was imported changes.', { exact: false }).waitFor()
    await look(page, 'import-mapping-forget')
    await dialog.getByRole('button', { name: 'Forget' }).click()
    await kept.waitFor({ state: 'hidden' })
    assert.deepEqual((await made.get('/api/import_recipes')).body, [])
  })
})
