import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accessible, DESKTOP, inspect, PASSWORD, PHONE, pages } from './browser.ts'

test('signing in, accounts, appearance, keyboard, and a session that ends', async (t) => {
  const made = await pages(t)
  await made.post('/api/contacts', { email: 'ann@example.com' })

  await t.test('who is not signed in signs in and comes to the page that was asked for', async () => {
    const { page } = await made.stranger()
    const { email } = await made.signedIn('viewer')
    const asked = `/accounts/${made.accountId}`
    await page.goto(asked)
    await page.getByRole('heading', { name: 'Sign in to Rollcall' }).waitFor()
    await inspect(page, 'login')
    await page.getByLabel('Email address').fill(email)
    await page.getByLabel('Password', { exact: true }).fill('not this one')
    await page.keyboard.press('Enter')
    await page.getByText('The address or the password is not right.').waitFor()
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: 'Home' }).waitFor()
    assert.equal(new URL(page.url()).pathname.replace(/\/$/, ''), asked)
    assert.match(await page.title(), /^Home · Rollcall$/)
  })

  await t.test('on a phone the navigation is behind a button', async () => {
    const { page, open } = await made.signedIn('admin', PHONE)
    await open('')
    await page.getByRole('button', { name: 'Open the navigation' }).click()
    await page.getByRole('dialog').getByRole('link', { name: 'Home' }).waitFor()
    await accessible(page, 'navigation on a phone')
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
  })

  await t.test('the palette opens on Ctrl-K and leads anywhere; the appearance can be chosen', async () => {
    const { page, open } = await made.signedIn('admin', DESKTOP)
    await open('')
    await page.keyboard.press('Control+K')
    await page.getByPlaceholder('Search or jump to…').fill('hom')
    await accessible(page, 'palette')
    await page.keyboard.press('Enter')
    await page.getByPlaceholder('Search or jump to…').waitFor({ state: 'hidden' })
    await page.getByRole('button', { name: /^admin\d/ }).click()
    await page.getByRole('menuitemradio', { name: 'Dark' }).click()
    await page.locator('html[data-mantine-color-scheme="dark"]').waitFor()
    await page.reload()
    await page.locator('html[data-mantine-color-scheme="dark"]').waitFor()
  })
})
