import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Locator } from 'playwright-core'
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

  await t.test('what is typed while the palette is still on its way is not lost', async () => {
    const { page, open } = await made.signedIn('admin', DESKTOP)
    await open('')
    // Longer than anyone takes for a word.
    await page.route('**/palette-*.js', async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 1500))
      await route.continue()
    })
    const input = page.getByPlaceholder('Search or jump to…')
    await page.keyboard.press('Control+K')
    await page.keyboard.type('wepb')
    await page.keyboard.press('Backspace')
    await page.keyboard.press('Backspace')
    await page.keyboard.type('b')
    await page.locator(':focus[placeholder^=Search]').waitFor()
    await page.keyboard.type('ho')
    assert.equal(await input.inputValue(), 'webho')
    await page.keyboard.press('Enter')
    await page.locator('h1:focus', { hasText: 'Webhooks' }).waitFor()
    // It is there now, and opens at once; nothing of before stands in it.
    await page.keyboard.press('Control+K')
    await page.keyboard.type('contacts')
    await page.locator(':focus[placeholder^=Search]').waitFor()
    assert.equal(await input.inputValue(), 'contacts')
    // Opened once more while it is open, it goes on taking what is typed.
    await page.keyboard.press('Control+K')
    await page.keyboard.type('!')
    assert.equal(await input.inputValue(), 'contacts!')
    await page.keyboard.press('Escape')
    await input.waitFor({ state: 'hidden' })
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

  await t.test('without a pointer: a contact, the builder, an import, the settings', async () => {
    await made.post('/api/contact_fields', { name: 'City', type: 'text' })
    const { page, open } = await made.signedIn('admin')
    const { keyboard } = page
    const heading = (name: string) => page.locator('h1:focus', { hasText: name }).waitFor()
    /** Goes on by Tab until this has the focus, and types; it may still have to come. */
    const at = async (target: Locator, ...keys: string[]) => {
      await target.waitFor({ state: 'attached' })
      for (let n = 0; (await target.and(page.locator(':focus')).count()) === 0; n++) {
        assert.ok(n < 80, `Tab does not lead to ${target}`)
        await keyboard.press('Tab')
      }
      for (const key of keys) await keyboard.press(key)
    }
    const jumpTo = async (name: string) => {
      await keyboard.press('Control+K')
      await page.locator(':focus[placeholder^=Search]').waitFor()
      await keyboard.type(name)
      await keyboard.press('Enter')
      await heading(name)
    }
    await open('')

    await jumpTo('Contacts')
    await at(page.getByRole('link', { name: 'ann@example.com' }), 'Enter')
    await heading('ann@example.com')
    await at(page.getByLabel('City'))
    await keyboard.type('Oslo')
    await at(page.getByRole('button', { name: 'Save' }), 'Enter')
    await page.getByText('Saved', { exact: true }).waitFor()
    assert.equal((await made.get('/api/contacts/ann@example.com')).body.data.fields.city, 'Oslo')

    await jumpTo('Lists')
    await at(page.getByRole('link', { name: 'New smart list' }).first(), 'Enter')
    await heading('New smart list')
    await at(page.getByLabel('Name'))
    await keyboard.type('In Oslo')
    await at(page.getByRole('button', { name: 'Condition', exact: true }), 'Enter')
    await at(page.getByRole('combobox', { name: 'What the condition is about' }))
    await keyboard.type('City')
    await page.getByRole('option', { name: 'City' }).waitFor()
    for (const key of ['ArrowDown', 'Enter']) await keyboard.press(key)
    await at(page.getByRole('combobox', { name: 'Value', exact: true }))
    await keyboard.type('Oslo')
    await page.getByText('1 contact meets this').waitFor()
    await at(page.getByRole('button', { name: 'Create' }), 'Enter')
    await heading('In Oslo')

    await jumpTo('Imports')
    await at(page.getByRole('link', { name: 'Import a file' }).first(), 'Enter')
    await heading('Import a file')
    const chooser = page.waitForEvent('filechooser')
    await at(page.locator('input[type=file]'), 'Enter')
    const buffer = Buffer.from('email,city\nbob@example.com,Rome\n')
    await (await chooser).setFiles({ name: 'few.csv', mimeType: 'text/csv', buffer })
    await at(page.getByRole('button', { name: 'Continue' }), 'Enter')
    await at(page.getByRole('radio').first(), 'Space')
    await at(page.getByLabel('Where they agreed'))
    await keyboard.type('At the fair')
    await at(page.getByRole('button', { name: 'See what would happen' }), 'Enter')
    await at(page.getByRole('button', { name: 'Import 1 person' }), 'Enter')
    await page.getByText('What this file did').waitFor()

    await jumpTo('Settings')
    await at(page.getByRole('tab').first(), 'ArrowRight', 'ArrowRight')
    await at(page.getByLabel('Events of contacts'))
    await keyboard.type('90')
    await at(page.getByRole('button', { name: 'Save' }), 'Enter')
    await page.getByText('The settings are saved').waitFor()
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
