import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { timeToken } from '../../server/features/forms/time-trap.ts'
import { keyring } from '../../server/test/app.ts'
import { latestMail, linkIn, pathOf } from '../../server/test/permission.ts'
import { until } from '../../server/test/until.ts'
import { accessible, DESKTOP, PHONE, pages, picture } from './browser.ts'

/** Looks at a page for people as it is now, on a desk and on a phone: a picture and axe on each, and nothing wider than the phone. */
async function inspected(page: Page, name: string): Promise<void> {
  for (const [where, viewport] of [
    ['', DESKTOP],
    ['-phone', PHONE],
  ] as const) {
    await page.setViewportSize(viewport)
    await picture(page, `public-${name}${where}`)
    await accessible(page, `${name}${where}`)
  }
  const width = await page.evaluate('document.documentElement.scrollWidth')
  assert.ok(Number(width) <= PHONE.width, `${name} is ${width} wide on a phone of ${PHONE.width}`)
}

test('pages for people can be used by everybody, from the form to the last goodbye', async (t) => {
  const made = await pages(t)
  const { post, patch, get } = made
  // Of the colours that an account may have, one on which white could not be read.
  await patch('/api/account', { name: 'Bäcker & Söhne', color: '#ffcc00' })
  const list = (await post('/api/contact_lists', { name: 'News', public: true, public_description: 'Each Friday' }))
    .body
  await post('/api/contact_fields', { name: 'Size', type: 'select', options: ['S', 'M'], editable: true })
  await post('/api/contact_fields', { name: 'Vegan', type: 'boolean', editable: true })
  await post('/api/contact_fields', { name: 'Guests', type: 'integer', editable: true })
  const fields = [{ field: 'first_name', required: true }, { field: 'size' }, { field: 'vegan' }, { field: 'guests' }]
  const form = (await post('/api/forms', { name: 'Form', list_ids: [list.id], fields, introduction: 'Once a week.' }))
    .body.data
  const { page } = await made.stranger()
  const email = 'ann@example.com'
  const press = (name: string) => page.getByRole('button', { name, exact: true }).click()
  const heading = (name: string) => page.getByRole('heading', { level: 1, name }).waitFor()

  /** As if the page had been asked for so long ago, or were just now when it is sent: a busy machine takes its time. */
  const shown = async (agoMs: number) => {
    const at = new Date(Date.now() + (agoMs === 0 ? 60_000 : -agoMs))
    const token = timeToken(keyring, pathOf(form.url).slice('/f/'.length), at)
    await page.evaluate(`document.querySelector('input[name="t"]').value = '${token}'`)
  }

  await t.test('signing up, with what is wrong told at its place', async () => {
    await page.goto(pathOf(form.url))
    await heading('News from Bäcker & Söhne')
    await inspected(page, 'form')
    // As a browser does that does not check by itself.
    await page.evaluate('document.querySelector("form").noValidate = true')
    await page.getByLabel('Email address').fill('nobody')
    await press('Sign up')
    await page.getByRole('alert').waitFor()
    const wrong = page.getByLabel('Email address')
    assert.equal(await wrong.getAttribute('aria-invalid'), 'true')
    const told = await wrong.getAttribute('aria-describedby')
    assert.match(await page.locator(`#${told}`).innerText(), /^Please write an address/)
    await inspected(page, 'form-wrong')
    await page.getByLabel('Email address').fill(email)
    await page.getByLabel('First name').fill('Ann')
    await shown(0) // too soon: no person fills it so fast
    await press('Sign up')
    await page.getByText('Please press once more').waitFor()
    await inspected(page, 'form-once-more')
    await shown(60_000)
    await press('Sign up')
    await heading('Thank you')
    await inspected(page, 'form-thanks')
  })

  await t.test('confirming', async () => {
    await until(async () => (await latestMail(made, email).catch(() => undefined)) !== undefined)
    await page.goto(linkIn(await latestMail(made, email)))
    await inspected(page, 'confirm')
    await press('Yes, write to me')
    await heading('Confirmed')
    await inspected(page, 'confirmed')
  })

  await t.test('preferences, by the keyboard alone', async () => {
    const links = (await get(`/api/contacts/${email}/links?list_id=${list.id}`)).body
    await page.goto(pathOf(links.preferences_url))
    await inspected(page, 'preferences')
    await page.getByLabel('News').focus()
    await page.keyboard.press('Space')
    await page.keyboard.press('Enter')
    await page.getByRole('status').waitFor()
    await inspected(page, 'preferences-saved')
    assert.deepEqual((await get(`/api/contacts/${email}`)).body.data.list_ids, [])
    await press('Download my data')
    await page.getByRole('status').waitFor()
  })

  await t.test('leaving', async () => {
    const links = (await get(`/api/contacts/${email}/links?list_id=${list.id}`)).body
    await page.goto(pathOf(links.unsubscribe_url))
    await inspected(page, 'unsubscribe')
    await press('Unsubscribe from everything')
    await heading('Unsubscribed')
    await inspected(page, 'unsubscribed')
    await page.goto(pathOf(links.preferences_url))
    await inspected(page, 'preferences-left')
    await page.goto('/unsubscribe/nothing')
    await heading('This link does not work')
    await inspected(page, 'wrong-link')
  })
})
