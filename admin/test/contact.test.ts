import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { dispatched } from '../../server/test/app.ts'
import { until } from '../../server/test/until.ts'
import { inspect, look, PASSWORD, pages } from './browser.ts'

test('one contact: edited, by two people at once, by someone whose session ends; told of, explained, erased', async (t) => {
  const made = await pages(t)
  await made.post('/api/contact_fields', { name: 'City', type: 'text' })
  await made.post('/api/contact_fields', { name: 'Plan', type: 'select', options: ['Free', 'Pro'] })
  await made.post('/api/contact_fields', { name: 'Age', type: 'integer' })
  const smart = (
    await made.post('/api/contact_lists', {
      name: 'Pro in Oslo',
      criteria: { all: [{ field: 'plan', op: 'eq', value: 'Pro' }, { any: [{ city: 'Oslo' }, { tag: 'vip' }] }] },
    })
  ).body.id as number
  const person = (
    await made.post('/api/contacts', {
      email: 'ann@example.com',
      fields: { city: 'Oslo', plan: 'Free', age: 41 },
      tags: ['lead'],
    })
  ).body.data
  await made.patch(`/api/contacts/${person.id}`, { fields: { plan: 'Pro' } })
  await dispatched(made.db)
  const now = async () => (await made.get(`/api/contacts/${person.id}`)).body.data
  const { page, open, context, email } = await made.signedIn('admin')
  const address = `/contacts/${person.id}`
  await open(address)

  await t.test('typed inputs, standing, lists', async () => {
    await page.getByText('May be mailed', { exact: true }).waitFor()
    await page.getByRole('link', { name: 'Pro in Oslo' }).waitFor()
    await inspect(page, 'contact')
  })

  await t.test('what is changed is saved, and nothing else', async () => {
    await page.getByLabel('City').fill('Bergen')
    await page.getByText('1 unsaved change').waitFor()
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('1 unsaved change').waitFor({ state: 'hidden' })
    assert.equal((await now()).fields.city, 'Bergen')
  })

  await t.test('what is typed while the service answers is not taken for saved', async () => {
    await page.route(`**/contacts/${person.id}`, async (route) => {
      if (route.request().method() === 'PATCH') await page.getByLabel('External id').fill('meanwhile')
      await route.continue()
    })
    await page.getByLabel('City').fill('Turin')
    await page.getByRole('button', { name: 'Save' }).click()
    await until(async () => (await now()).fields.city === 'Turin')
    await page.unroute(`**/contacts/${person.id}`)
    await page.getByText('1 unsaved change').waitFor()
    assert.equal(await page.getByLabel('External id').inputValue(), 'meanwhile')
    await page.getByRole('button', { name: 'Discard' }).click()
    assert.equal(await page.getByLabel('City').inputValue(), 'Turin')
  })

  await t.test('a fault is told at its input', async () => {
    await page.getByLabel('Email address').fill('ann@example')
    await page.getByRole('button', { name: 'Save' }).click()
    await page
      .getByText(/is invalid|domain/)
      .first()
      .waitFor()
    await page.getByRole('button', { name: 'Discard' }).click()
  })

  await t.test('two people edit the same value: both are shown, and one is chosen', async () => {
    await page.getByLabel('City').fill('Rome')
    await page.getByLabel('Age', { exact: true }).fill('42')
    await made.patch(`/api/contacts/${person.id}`, { fields: { city: 'Paris', plan: 'Free' } })
    await page.getByRole('button', { name: 'Save' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('Someone else has changed this, too').waitFor()
    await dialog.getByLabel('Saved by them: Paris').waitFor()
    await dialog.getByText('Plan: Pro → Free').waitFor()
    await look(page, 'contact-conflict')
    // While one decides, the other goes on: with another value, then with the same one once more.
    await made.patch(`/api/contacts/${person.id}`, { tags: ['lead', 'vip'] })
    await dialog.getByLabel('Yours: Rome').check()
    await dialog.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Saved, beside what someone else has changed meanwhile').waitFor()
    const { fields, tags } = await now()
    assert.deepEqual({ ...fields, tags }, { city: 'Rome', plan: 'Free', age: 42, tags: ['lead', 'vip'] })
  })

  await t.test('nothing that someone saves while the dialog is open is written over unseen', async () => {
    await page.getByLabel('City').fill('Bonn')
    await made.patch(`/api/contacts/${person.id}`, { fields: { city: 'Nice' } })
    await page.getByRole('button', { name: 'Save' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Yours: Bonn').check()
    await made.patch(`/api/contacts/${person.id}`, { fields: { city: 'Lyon' } })
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.getByLabel('Saved by them: Lyon').check()
    await dialog.getByRole('button', { name: 'Save' }).click()
    await page.getByText('1 unsaved change').waitFor({ state: 'hidden' })
    assert.equal((await now()).fields.city, 'Lyon')
    assert.equal(await page.getByLabel('City').inputValue(), 'Lyon')
  })

  await t.test('a session that ends in the middle of an edit loses nothing', async () => {
    await page.getByLabel('City').fill('Lima')
    await page.getByLabel('External id').fill('crm-7')
    await made.db.query(sql`delete from sessions`)
    await page.getByRole('button', { name: 'Save' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('Your session has ended').waitFor()
    await look(page, 'session-ended')
    assert.equal(await dialog.getByLabel('Email address').inputValue(), email)
    await dialog.getByLabel('Password', { exact: true }).fill(PASSWORD)
    await page.keyboard.press('Enter')
    await page.getByText('2 unsaved changes').waitFor({ state: 'hidden' })
    const { fields, external_id } = await now()
    assert.deepEqual([fields.city, external_id], ['Lima', 'crm-7'])
  })

  await t.test('who leaves with something unsaved is asked', async () => {
    await page.getByLabel('City').fill('Oslo')
    await page.getByRole('tab', { name: 'Timeline' }).click() // from where it is not seen
    await page.getByRole('link', { name: 'All contacts' }).click()
    await page.getByText('Leave without saving?').waitFor()
    await page.getByRole('button', { name: 'Stay here' }).click()
    await page.getByRole('tab', { name: 'Profile' }).click()
    assert.equal(await page.getByLabel('City').inputValue(), 'Oslo')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('1 unsaved change').waitFor({ state: 'hidden' })
  })

  await t.test('the timeline shows what changed, before and after', async () => {
    await dispatched(made.db)
    await page.getByRole('tab', { name: 'Timeline' }).click()
    await page.getByText('Bergen', { exact: false }).first().waitFor()
    await inspect(page, 'contact-timeline')
    await page.getByRole('combobox', { name: 'Kind of event' }).click()
    await page.getByRole('option', { name: 'opened a mail', exact: true }).click()
    await page.getByText('Nothing of this kind has happened.').waitFor()
  })

  await t.test('permission with its evidence, and why in a list', async () => {
    await page.getByRole('tab', { name: 'Permission' }).click()
    await page.getByText('Granted', { exact: true }).first().waitFor()
    await look(page, 'contact-consents')
    await page.getByRole('tab', { name: 'Why in a list?' }).click()
    await page.getByRole('combobox', { name: 'List', exact: true }).click()
    await page.getByRole('option', { name: 'Pro in Oslo' }).click()
    await page.getByText('Is not in Pro in Oslo').waitFor()
    await page.getByText('Plan is Pro', { exact: true }).waitFor()
    await inspect(page, 'contact-why')
  })

  await t.test('everything held can be taken along; erasing asks for the address', async () => {
    const held = await context.request.get(`/api/accounts/${made.accountId}/contacts/${person.id}/export`)
    assert.equal((await held.json()).contact.email, 'ann@example.com')
    await page.getByRole('button', { name: 'More' }).click()
    await page.getByRole('menuitem', { name: 'Erase for good…' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Type ann@example.com to confirm').fill('ann')
    assert.ok(await dialog.getByRole('button', { name: 'Erase for good' }).isDisabled())
    await look(page, 'contact-erase')
    await dialog.getByLabel('Type ann@example.com to confirm').fill('ann@example.com')
    await dialog.getByRole('button', { name: 'Erase for good' }).click()
    await page.getByRole('heading', { level: 1, name: 'Contacts' }).waitFor()
    assert.equal((await made.get('/api/contacts/ann@example.com')).status, 404)
    await page.goto(`/accounts/${made.accountId}${address}`)
    await page.getByText('There is nothing here').waitFor()
  })

  await t.test('someone is deleted; what another changed meanwhile is told first', async () => {
    const bob = (await made.post('/api/contacts', { email: 'bob@example.com', fields: { city: 'Oslo' } })).body.data
    await open(`/contacts/${bob.id}`)
    await page.getByRole('button', { name: 'More' }).click()
    await page.getByRole('menuitem', { name: 'Delete' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('This can not be undone.', { exact: false }).waitFor()
    await made.patch(`/api/contacts/${bob.id}`, { fields: { city: 'Turin' } })
    await dialog.getByRole('button', { name: 'Delete' }).click()
    await dialog.getByText('City: Oslo → Turin').waitFor()
    await look(page, 'contact-delete')
    assert.equal((await made.get(`/api/contacts/${bob.id}`)).status, 200)
    await dialog.getByRole('button', { name: 'Delete' }).click()
    await page.getByText('bob@example.com deleted').waitFor()
    await page.getByRole('heading', { level: 1, name: 'Contacts' }).waitFor()
    assert.equal((await made.get(`/api/contacts/${bob.id}`)).status, 404)
  })
  assert.ok(smart > 0)
})
