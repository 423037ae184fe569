import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { makeSetupLink } from '../../server/features/accounts/user-links.ts'
import { PASSWORD, pages } from './browser.ts'

const FILE = `Email;First name;City
ann@example.com;Ann;Oslo
bob@example.com;Bob;Bergen
cy@example.com;Cy;Oslo
`

/** One walk by what the pages offer, as whoever has just started the service takes it: no address is typed. */
test('the first day: from the link of the first start to a file, a smart list, and an export of it', async (t) => {
  const made = await pages(t)
  const { page } = await made.stranger()
  const press = (name: string) => page.getByRole('button', { name, exact: true }).click()
  const follow = (name: string) => page.getByRole('link', { name, exact: true }).click()

  await t.test('the link makes the administrator, who is shown the first steps', async () => {
    const token = await made.db.transaction((trx) => makeSetupLink(trx))
    await page.goto(`/setup#${token}`)
    await page.getByLabel('Email address').fill('owner@example.com')
    await page.getByLabel('Your name').fill('Olga')
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
    await page.keyboard.press('Enter')
    await page.getByText('Bring in your first people').waitFor()
  })

  await t.test('a file is imported, with a field made for what is new', async () => {
    await page.getByRole('link', { name: 'Import a file' }).first().click()
    await page
      .locator('input[type=file]')
      .setInputFiles({ name: 'people.csv', mimeType: 'text/csv', buffer: Buffer.from(FILE) })
    await page.getByRole('combobox', { name: 'Where City goes' }).click()
    await page.getByRole('option', { name: 'Create a field…' }).click()
    await press('Create field')
    await page.locator('input[aria-label="Where City goes"][value="City"]').waitFor()
    await press('Continue')
    await page.getByRole('radio', { name: 'They agreed to hear from us' }).click()
    await page.getByLabel('Where they agreed').fill('Spring fair')
    await press('See what would happen')
    await press('Import 3 people')
    await page.getByText('What this file did').waitFor()
    await page.locator('[data-count=created] .figures', { hasText: /^3$/ }).waitFor()
  })

  await t.test('a smart list finds some of them', async () => {
    await follow('Lists')
    await page.getByRole('link', { name: 'New smart list' }).first().click()
    await page.getByLabel('Name').fill('In Oslo')
    await page.getByText('JSON', { exact: true }).click()
    await page.getByLabel('Criteria as JSON').fill('{"field": "city", "op": "eq", "value": "oslo"}')
    await page.getByText('Builder', { exact: true }).click()
    await page.getByText('2 contacts meet this').waitFor()
    await press('Create')
    await page.getByRole('heading', { level: 1, name: 'In Oslo' }).waitFor()
    await page.getByRole('link', { name: 'ann@example.com' }).waitFor()
  })

  await t.test('an export has those, and nobody else', async () => {
    await follow('Exports')
    await press('New export')
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('combobox', { name: 'Whom' }).click()
    await page.getByRole('option', { name: 'In Oslo' }).click()
    await dialog.getByRole('combobox', { name: 'Format' }).click()
    await page.getByRole('option', { name: 'CSV', exact: true }).click()
    await press('Write the file')
    await page.getByText('Ready', { exact: true }).waitFor()
    const download = page.waitForEvent('download')
    await page.getByRole('link', { name: /^Download export/ }).click()
    const rows = readFileSync(await (await download).path(), 'utf8')
    const people = ['ann', 'bob', 'cy'].filter((name) => rows.includes(`${name}@example.com`))
    assert.deepEqual(people, ['ann', 'cy'])
  })
})
