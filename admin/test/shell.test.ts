import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { makeSetupLink } from '../../server/features/accounts/user-links.ts'
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

  await t.test('the palette finds contacts, too', async () => {
    const { page, open } = await made.signedIn('viewer')
    await open('')
    await page.keyboard.press('Control+K')
    await page.getByPlaceholder('Search or jump to…').fill('ann@')
    await page
      .getByRole('option', { name: 'ann@example.com' })
      .or(page.getByRole('button', { name: 'ann@example.com' }))
      .first()
      .click()
    await page.getByRole('heading', { level: 1, name: 'ann@example.com' }).waitFor()
  })

  await t.test('without a pointer: past the navigation to the content, to a page, to its heading', async () => {
    const { page, open } = await made.signedIn('editor')
    await open('')
    await page.keyboard.press('Tab')
    const focused = () => page.evaluate('document.activeElement.textContent')
    assert.equal(await focused(), 'Skip to the content')
    await page.keyboard.press('Enter')
    await page.locator('main:focus').waitFor()
    await page.getByRole('link', { name: 'Contacts', exact: true }).focus()
    await page.keyboard.press('Enter')
    await page.locator('h1:focus', { hasText: 'Contacts' }).waitFor()
    await page.keyboard.press('Tab')
    assert.equal(await focused(), 'Add contact')
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').getByLabel('Email address').fill('key@example.com')
    await page.keyboard.press('Enter')
    await page.getByText('key@example.com added').waitFor()
  })

  await t.test('who belongs to several accounts goes from one to another', async () => {
    const second = await made.another('Second')
    await second.call('POST', '/api/contacts', { email: 'only@second.example' })
    const visitor = await made.signedIn('editor')
    await made.db.query(sql`
      insert into account_users (account_id, user_id, role)
      select ${second.accountId}, id, 'viewer' from users where email = ${visitor.email}`)
    const { page } = visitor
    await visitor.open('/contacts')
    await page.getByRole('button', { name: 'Switch account: First' }).click()
    await page.getByRole('menuitem', { name: 'Second' }).click()
    await page.waitForURL(`**/accounts/${second.accountId}`)
    await page.getByRole('button', { name: 'Switch account: Second' }).waitFor()
    await page.goto('/')
    await page.waitForURL(`**/accounts/${second.accountId}`)
  })
})

test('a link that works once makes the first administrator', async (t) => {
  const made = await pages(t)
  const { page } = await made.stranger()
  const token = await made.db.transaction((trx) => makeSetupLink(trx))
  await page.goto(`/setup#${token}`)
  await page.getByRole('heading', { name: 'Welcome to Rollcall' }).waitFor()
  await inspect(page, 'setup')
  await page.getByLabel('Email address').fill('owner@example.com')
  await page.getByLabel('Your name').fill('Olga')
  await page.getByLabel('Password', { exact: true }).fill('short')
  await page.keyboard.press('Enter')
  await page.getByText(/too short/).waitFor()
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { level: 1 }).waitFor()
  await page.getByText('Olga').waitFor()
  const other = await made.stranger()
  await other.page.goto(`/setup#${token}`)
  await other.page.getByRole('heading', { name: 'This link does not work any more' }).waitFor()
})
