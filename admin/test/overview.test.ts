import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect, pages } from './browser.ts'

test('home, exports, fields, suppressions and webhooks', async (t) => {
  const made = await pages(t, { WEBHOOK_ALLOW_PRIVATE: 'true' })
  const { page, open } = await made.signedIn('admin')

  await t.test('an account without people shows how to bring some in, and one with people how they stand', async () => {
    await open('')
    await page.getByText('Bring in your first people').waitFor()
    await page.getByText(`curl ${made.origin}/api/contacts`).waitFor()
    await inspect(page, 'home-empty')
    for (const name of ['ann', 'bob', 'cy'])
      await made.post('/api/contacts', { email: `${name}@example.com`, fields: { first_name: name } })
    await page.reload()
    await page
      .getByRole('img', { name: /^Subscribers over time/ })
      .locator('svg')
      .first()
      .waitFor()
    await page
      .getByRole('img', { name: /^Joined and left/ })
      .locator('svg')
      .first()
      .waitFor()
    await inspect(page, 'home')
  })

  await t.test('an export is written, downloaded and removed', async () => {
    await open('/exports')
    await page.getByRole('button', { name: 'New export' }).click()
    await page.getByRole('button', { name: 'Write the file' }).click()
    await page.getByText('Ready', { exact: true }).waitFor()
    const download = page.waitForEvent('download')
    await page.getByRole('link', { name: /^Download export/ }).click()
    assert.match((await download).suggestedFilename(), /csv\.gz$/)
    await inspect(page, 'exports')
    await page.getByRole('button', { name: /^Remove export/ }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
  })

  await t.test('a field is made, converted with what would be lost said before, and removed', async () => {
    await open('/fields')
    await page.getByRole('button', { name: 'New field' }).click()
    await page.getByRole('dialog').getByLabel('Name').fill('Age')
    await page.getByRole('button', { name: 'Create field' }).click()
    await page.getByRole('row', { name: /Age/ }).waitFor()
    await page.getByRole('row', { name: /First name.*3 \(100 %\)/ }).waitFor()
    await inspect(page, 'fields')
    await page.getByRole('button', { name: 'Convert Age' }).click()
    await page.getByRole('dialog').getByRole('combobox', { name: 'New type' }).click()
    await page.getByRole('option', { name: 'Whole number' }).click()
    await page.getByText('0 values can be converted, 0 can not.').waitFor()
    await page.getByRole('dialog').getByRole('button', { name: 'Convert' }).click()
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
    await page.getByRole('row', { name: /Age.*Whole number/ }).waitFor()
  })

  await t.test('mail to a domain is forbidden, found by an address, and allowed again', async () => {
    await open('/suppressions')
    await page.getByRole('button', { name: 'Add', exact: true }).click()
    await page.getByLabel('Addresses and domains').fill('spam.example\nann@example.com')
    await page.getByRole('button', { name: 'Forbid mail' }).click()
    await page.getByRole('row', { name: /spam.example/ }).waitFor()
    await inspect(page, 'suppressions')
    await page.getByLabel('What forbids mail to an address').fill('ann@example.com')
    await page.getByRole('row', { name: /spam.example/ }).waitFor({ state: 'hidden' })
    await page.getByRole('button', { name: 'Remove ann@example.com' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
    await page.getByText('Nothing forbids mail to this address').waitFor()
  })

  await t.test('a webhook is made, tested, and its deliveries are seen', async () => {
    await open('/webhooks')
    await page.getByRole('button', { name: 'New webhook' }).click()
    await page.getByRole('dialog').getByLabel('Address').fill(`${made.origin}/nothing`)
    await page.getByRole('button', { name: 'Make webhook' }).click()
    await page.locator('[data-secret]').waitFor()
    await page.getByRole('dialog').getByRole('button', { name: 'Close', exact: true }).last().click()
    await page.getByRole('link', { name: /nothing$/ }).click()
    await page.getByRole('button', { name: 'Send a test' }).click()
    await page.getByRole('row', { name: /Test/ }).waitFor()
    await inspect(page, 'webhook')
  })
})
