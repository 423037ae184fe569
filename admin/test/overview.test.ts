import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { until } from '../../server/test/until.ts'
import { inspect, look, pages } from './browser.ts'

test('home, activity, exports, fields, suppressions and webhooks', async (t) => {
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

  await t.test('what happens shows as it happens, with what changed, until it is paused', async () => {
    await open('/activity')
    const events = page.getByRole('list', { name: 'Events' })
    await page.getByText('Live', { exact: true }).waitFor()
    const ann = events.getByRole('listitem').filter({ has: page.getByRole('link', { name: 'ann@example.com' }) })
    await ann.getByText('was created').waitFor()
    const { id: list } = (await made.post('/api/contact_lists', { name: 'News' })).body
    await made.post(`/api/contact_lists/${list}/contacts`, { contact_ids: ['ann@example.com', 'bob@example.com'] })
    await made.patch('/api/contacts/ann@example.com', { fields: { first_name: 'Anna' } })
    await ann
      .first()
      .getByText(/First name: ann →\s*becomes Anna/)
      .waitFor()
    await ann.getByRole('link', { name: 'News' }).waitFor()
    await events
      .getByRole('link', { name: /^in change \d+$/ })
      .first()
      .waitFor()
    await events.getByText('Added to a list: Added 2').waitFor()
    await inspect(page, 'activity')

    await page.getByRole('button', { name: 'Pause' }).click()
    await page.getByText('Paused', { exact: true }).waitFor()
    const before = await events.getByRole('listitem').count()
    await made.post('/api/contacts', { email: 'late@example.com' })
    await page.waitForTimeout(1000) // a stream would have told of it
    assert.equal(await events.getByRole('listitem').count(), before)
    await page.getByRole('button', { name: 'Resume' }).click()
    await events.getByRole('link', { name: 'late@example.com' }).waitFor()

    await page.getByRole('combobox', { name: 'Kinds of event' }).click()
    await page.getByRole('option', { name: 'was changed', exact: true }).click()
    await events.getByText('was created').first().waitFor({ state: 'hidden' })
    await events.getByText('becomes').first().waitFor()
    assert.match(page.url(), /types=/)
    await made.del('/api/contacts/late@example.com')
    await until(async () => (await made.db.query(sql`select from outbox`)).length === 0)
  })

  await t.test('older events come when asked for, and no more are kept than there is room for', async () => {
    const { db, accountId } = made
    await db.query(sql`
      with made as (
        insert into events (account_id, type, types, name) select ${accountId}, 'custom', '{custom}', 'tick ' || n
        from generate_series(1, 700) as n order by n returning id
      ), head as (
        update feed_heads set position = position + 700 where account_id = ${accountId} returning position - 700 as position
      )
      insert into feed (account_id, position, event_id)
      select ${accountId}, position + row_number() over (order by id), id from made, head`)
    await open('/activity')
    const items = page.getByRole('list', { name: 'Events' }).getByRole('listitem')
    await items.first().getByText('tick 700', { exact: true }).waitFor()
    assert.equal(await items.count(), 50)
    await page.getByRole('button', { name: 'Show older' }).click()
    await items.nth(99).getByText('tick 601', { exact: true }).waitFor()
    await page.getByText('Paused', { exact: true }).waitFor()
    for (let last = 550; last > 150; last -= 50) {
      await page.getByRole('button', { name: 'Show older' }).click()
      await page.getByText(`tick ${last + 1}`, { exact: true }).waitFor()
    }
    await page.getByText('At most 500 are kept here').waitFor()
    assert.equal(await items.count(), 500)
    await page.getByRole('button', { name: 'Resume' }).click()
    await items.first().getByText('tick 700', { exact: true }).waitFor()
  })

  await t.test('under a flood the page stays small, shows the latest, and says how many it left out', async () => {
    const { db, accountId } = made
    const FLOOD = 20_000
    await open('/activity')
    const items = page.getByRole('list', { name: 'Events' }).getByRole('listitem')
    await items.first().getByText('tick 700', { exact: true }).waitFor()
    await page.getByText('Live', { exact: true }).waitFor()
    await page.evaluate(`
      window.mostRows = 0
      new MutationObserver(() => {
        window.mostRows = Math.max(window.mostRows, document.querySelectorAll('main li').length)
      }).observe(document.body, { childList: true, subtree: true })`)
    await db.query(sql`
      with made as (
        insert into events (account_id, type, types, name) select ${accountId}, 'custom', '{custom}', 'wave ' || n
        from generate_series(1, ${FLOOD}::int) as n order by n returning id
      ), head as (
        update feed_heads set position = position + ${FLOOD}::int where account_id = ${accountId} returning position - ${FLOOD}::int as position
      )
      insert into feed (account_id, position, event_id)
      select ${accountId}, position + row_number() over (order by id), id from made, head`)
    await items.first().getByText(`wave ${FLOOD}`, { exact: true }).waitFor()
    const told = await page.getByText(/events came too fast to be shown here/).innerText()
    const leftOut = Number(told.replace(/ .*/s, '').replaceAll(',', ''))
    const shown = await items.count()
    assert.ok(leftOut >= FLOOD - 2 * 500 && leftOut < FLOOD, `${leftOut} of ${FLOOD}`)
    const most = Number(await page.evaluate('window.mostRows'))
    assert.ok(shown <= 500 && most <= 500, `${shown} rows in the end, ${most} at most`)
    await look(page, 'activity-flood')
    // What was left out can be had: it begins right behind the last one.
    const last = Number((await items.last().innerText()).match(/wave (\d+)/)![1])
    await page.getByRole('button', { name: 'Show older' }).click()
    await page.getByText(`wave ${last - 1}`, { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Resume' }).click()
    await page.getByText(/came too fast/).waitFor({ state: 'hidden' })
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
    await made.post('/api/contact_lists', { name: 'Named', criteria: { field: 'first_name', op: 'is_set' } })
    await made.post('/api/views', { name: 'By age', columns: ['email', 'age'] })
    await page.reload()
    await page
      .getByRole('row', { name: /First name/ })
      .getByRole('link', { name: 'Named' })
      .waitFor()
    await page.getByRole('row', { name: /Age.*View: By age/ }).waitFor()
    await page.getByRole('row', { name: /Last name.*0 \(0.0 %\).*Nothing/ }).waitFor()
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
