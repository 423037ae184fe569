import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect, look, pages } from './browser.ts'

test('settings, and acts on many people', async (t) => {
  const made = await pages(t)
  const { page, open, email } = await made.signedIn('admin')
  const viewer = await made.signedIn('viewer')

  await t.test('a token is shown once, and can be ended', async () => {
    await open('/settings')
    await page.getByRole('button', { name: 'New token' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Name').fill('Web shop')
    await dialog.getByRole('radio', { name: 'Read and write' }).click()
    await dialog.getByRole('button', { name: 'Make token' }).click()
    const secret = await page.locator('[data-secret]').innerText()
    const answer = await fetch(`${made.origin}/api/contacts`, { headers: { 'api-token': secret } })
    assert.equal(answer.status, 200)
    await page.getByRole('dialog').getByRole('button', { name: 'Close', exact: true }).last().click()
    await page.locator('[data-secret]').waitFor({ state: 'hidden' })
    await inspect(page, 'settings-tokens')
    await page.getByRole('button', { name: 'End Web shop' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'End', exact: true }).click()
    await page.getByRole('row', { name: /Web shop.*Ended/ }).waitFor()
  })

  await t.test('someone is invited, a role is changed, someone is removed', async () => {
    await page.getByRole('tab', { name: 'Users' }).click()
    await page.getByRole('button', { name: 'Invite someone' }).click()
    await page.getByRole('dialog').getByLabel('Email address').fill('new@example.com')
    await page.getByRole('button', { name: 'Make an invitation' }).click()
    assert.match(await page.locator('[data-secret]').innerText(), /^http.*\/setup/)
    await page.getByRole('dialog').getByRole('button', { name: 'Close', exact: true }).last().click()
    await page.getByRole('row', { name: /new@example.com/ }).waitFor()
    await inspect(page, 'settings-users')
    const row = page.getByRole('row', { name: new RegExp(viewer.email) })
    await row.getByRole('combobox').click()
    await page.getByRole('option', { name: 'Editor' }).click()
    await page.getByText(/^The role of .* is changed$/).waitFor()
    await row.getByRole('combobox').click()
    await page.getByRole('option', { name: 'Viewer' }).click()
    await page.getByRole('button', { name: 'Withdraw the invitation of new@example.com' }).click()
    await page.getByRole('row', { name: /new@example.com/ }).waitFor({ state: 'hidden' })
    assert.equal(
      await page
        .getByRole('row', { name: new RegExp(email) })
        .getByRole('combobox')
        .count(),
      0,
    )
  })

  await t.test('settings of the account are saved', async () => {
    await page.getByRole('tab', { name: 'Account' }).click()
    await page.getByLabel('Events of contacts').fill('90')
    await page.getByRole('tab', { name: 'Users' }).click()
    await page.getByText('Leave without saving?').waitFor()
    await page.getByRole('button', { name: 'Stay here' }).click()
    await inspect(page, 'settings-account')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('The settings are saved').waitFor()
    await page.reload()
    await page.locator('input[value="90"]').waitFor()
  })

  await t.test('a mail provider is given an address once, and what comes to it is counted', async () => {
    await page.getByRole('tab', { name: 'Mail providers' }).click()
    await page.getByText('No mail provider tells anything yet').waitFor()
    await page.getByRole('button', { name: 'New hook' }).click()
    await page.getByRole('dialog').getByRole('combobox', { name: 'Provider' }).click()
    await page.getByRole('option', { name: 'Another sender' }).click()
    await page.getByRole('dialog').getByLabel('Name').fill('Shop')
    await look(page, 'settings-providers-new')
    await page.getByRole('button', { name: 'Make hook' }).click()
    const url = await page.locator('[data-secret]').innerText()
    await page.getByRole('dialog').getByRole('button', { name: 'Close', exact: true }).last().click()
    await page.getByRole('row', { name: /Shop.*Address alone.*None yet/ }).waitFor()
    const told = await fetch(made.origin + new URL(url).pathname, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ id: '1', type: 'opened', email: 'nobody@example.com', at: new Date().toISOString() }),
    })
    assert.equal(told.status, 200, await told.text())
    await page.reload()
    await page.getByRole('row', { name: /Shop.*Address alone.*1.*0.*1.*(second|now)/ }).waitFor()
    await inspect(page, 'settings-providers')

    await page.getByRole('button', { name: 'More for Shop' }).click()
    await page.getByRole('menuitem', { name: 'Change' }).click()
    await page.getByRole('dialog').getByLabel('Signing secret').fill('whsec_tooshort-for-it')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText(/must be whsec_/).waitFor()
    await page
      .getByRole('dialog')
      .getByLabel('Signing secret')
      .fill(`whsec_${'A'.repeat(40)}`)
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('row', { name: /Shop.*Signed/ }).waitFor()

    await page.getByRole('button', { name: 'More for Shop' }).click()
    await page.getByRole('menuitem', { name: 'New address' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'New address' }).click()
    assert.notEqual(await page.locator('[data-secret]').innerText(), url)
    await page.getByRole('dialog').getByRole('button', { name: 'Close', exact: true }).last().click()
    await page.getByText('The address of before works until').waitFor()
    await page.getByRole('button', { name: 'More for Shop' }).click()
    await page.getByRole('menuitem', { name: 'Delete' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
    await page.getByText('No mail provider tells anything yet').waitFor()
  })

  await t.test('the audit log has it all, by name', async () => {
    await page.getByRole('tab', { name: 'Audit log' }).click()
    await page.getByRole('row', { name: /You.*Token created/ }).waitFor()
    await page
      .getByRole('row', { name: /You.*Account updated.*retention events days: no value\s*becomes\s*90/ })
      .waitFor()
    await page.getByRole('row', { name: /You.*Provider hook rotated/ }).waitFor()
    await inspect(page, 'settings-audit')
  })

  await t.test('a viewer sees what an administrator alone may change, and is told so', async () => {
    await viewer.open('/settings')
    await viewer.page.getByText('Only administrators change these.').waitFor()
    assert.equal(await viewer.page.getByRole('button', { name: 'Save' }).count(), 0)
    await viewer.page.getByRole('tab', { name: 'API tokens' }).click()
    await viewer.page.getByText('This needs another role').waitFor()
    await inspect(viewer.page, 'settings-forbidden')
  })

  await t.test('an act on many people is looked into, and taken back', async () => {
    await open('/changes')
    await page.getByText('Nobody has changed many people at once yet').waitFor()
    await made.post('/api/contacts', { email: 'ann@example.com', fields: { first_name: 'Ann' } })
    const begun = await made.post('/api/contacts/bulk', {
      selection: { q: 'ann@' },
      action: { type: 'update', fields: { first_name: 'Anna' } },
    })
    assert.equal(begun.status, 201, JSON.stringify(begun.body))
    await page.reload()
    await page.getByRole('link', { name: /^Bulk act/ }).waitFor()
    await page.getByText('Finished', { exact: true }).waitFor()
    await inspect(page, 'changes')
    await page.getByRole('link', { name: /^Bulk act/ }).click()
    await page.getByText('Ann → becomes Anna').waitFor()
    await inspect(page, 'change')
    await page.getByRole('button', { name: 'Take it back' }).click()
    await page.getByText('1 person will get back what they had.').waitFor()
    await page.getByRole('dialog').getByRole('button', { name: 'Take it back' }).click()
    await page.getByText('Taken back', { exact: true }).waitFor()
  })

  await t.test('what a model has proposed is done, or dropped, by a person who has seen it', async () => {
    const propose = async (tag: string) => {
      const action = { type: 'add_tags', tags: [tag] }
      const { body } = await made.post('/api/contacts/bulk', { selection: { q: 'ann@' }, action, dry_run: true })
      await open(`/changes/${body.id}`)
      await page.getByText('ann@example.com').first().waitFor()
    }
    const tags = async () => (await made.get('/api/contacts/ann@example.com')).body.data.tags
    await propose('dropped')
    await page.getByRole('button', { name: 'Discard' }).click()
    await page.getByText('Cancelled', { exact: true }).waitFor()
    assert.equal(await page.getByRole('button', { name: 'Take it back' }).count(), 0, 'nothing was done')
    await propose('done')
    assert.deepEqual(await tags(), [])
    await page.getByRole('button', { name: 'Apply' }).click()
    await page.getByText('Finished', { exact: true }).waitFor()
    assert.deepEqual(await tags(), ['done'])
  })
})
