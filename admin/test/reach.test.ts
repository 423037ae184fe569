import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Locator, Page } from 'playwright-core'
import sql from 'sql-template-tag'
import { inspect, look, pages } from './browser.ts'

/** The frame of that name, whose page has no rights. */
const frame = (page: Page, title: string) => page.frameLocator(`iframe[title="${title}"]`)

test('forms, templates and the outbox', async (t) => {
  const made = await pages(t)
  const { page, open, context } = await made.signedIn('editor')
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])

  await t.test('an account without people is led to a form, which is made with its preview beside it', async () => {
    await open('')
    await page.getByRole('link', { name: 'Make a form' }).click()
    await page.getByRole('heading', { level: 1, name: 'New form' }).waitFor()
    await page.getByRole('link', { name: 'Forms' }).click()
    await page.getByText('There is no form yet').waitFor()
    await inspect(page, 'forms-empty')
    await made.post('/api/contact_lists', { name: 'News' })
    await made.post('/api/contact_fields', { name: 'Plan', type: 'select', options: ['Free', 'Pro'] })
    await page.reload()
    await page.getByRole('link', { name: 'New form' }).click()
    const seen = frame(page, 'The form as people see it')
    await seen.getByRole('heading', { name: 'News from First' }).waitFor()
    await page.getByLabel('Name', { exact: true }).fill('Newsletter')
    await page.getByRole('combobox', { name: 'Lists that people join' }).click()
    await page.getByRole('option', { name: 'News' }).click()
    await page.keyboard.press('Escape')
    for (const field of ['First name', 'Plan']) {
      await page.getByRole('button', { name: 'Ask for another field' }).click()
      await page.getByRole('menuitem', { name: field }).click()
    }
    await page.getByLabel('Words before Plan').fill('Your plan')
    await page.getByLabel('Plan is required').check()
    await page.getByRole('button', { name: 'Move Plan up' }).click()
    await page.getByLabel('Title').fill('Come <in>')
    await seen.getByRole('heading', { name: 'Come <in>' }).waitFor()
    assert.deepEqual(await seen.locator('.field > label').allInnerTexts(), [
      'Email address',
      'Your plan',
      'First name (optional)',
    ])
    await page.getByText('German', { exact: true }).click()
    await seen.getByRole('button', { name: 'Anmelden' }).waitFor()
    await inspect(page, 'form-new')
  })

  await t.test('what is wrong is said at its place; saved, it can be put on a website', async () => {
    await page.getByLabel('Send people on to').fill('nowhere')
    await page.getByRole('button', { name: 'Make form' }).click()
    await page.getByText(/^must be an address such as/).waitFor()
    await page.getByLabel('Send people on to').fill('')
    await page.getByRole('button', { name: 'Make form' }).click()
    await page.getByRole('heading', { level: 1, name: 'Newsletter' }).waitFor()
    const [form] = (await made.get('/api/forms')).body.data
    assert.deepEqual(
      form.fields.map(({ field, required }: { field: string; required: boolean }) => [field, required]),
      [
        ['plan', true],
        ['first_name', false],
      ],
    )
    await page.getByText(/until then the frame stays empty/).waitFor()
    await page.getByRole('combobox', { name: 'Pages that may show it in a frame' }).fill('https://www.example.com')
    await page.getByLabel('After the sign-up').fill('Until soon')
    await page.getByText('After it', { exact: true }).click()
    await frame(page, 'The form as people see it').getByText('Until soon').waitFor()
    await page.getByRole('link', { name: 'Home' }).click()
    await page.getByRole('button', { name: 'Stay here' }).click()
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await page.getByText('The form is saved').waitFor()
    await page.getByRole('button', { name: 'Copy: Plain HTML' }).click()
    const copied = await page.evaluate('navigator.clipboard.readText()')
    assert.match(copied as string, /^<form action=".*\/f\/1-[\w-]+" method="post"/)
    await inspect(page, 'form')
    const [after] = (await made.get('/api/forms')).body.data
    assert.deepEqual(
      [after.success, after.frame_origins, after.version],
      ['Until soon', ['https://www.example.com'], 2],
    )
    await page.getByRole('link', { name: 'All forms' }).click()
    await page.getByRole('row', { name: /Newsletter.*On.*News.*Your plan, First name.*By mail/ }).waitFor()
    await inspect(page, 'forms')
  })

  await t.test('a template is seen as somebody gets it, with its faults at their line', async () => {
    await made.post('/api/contacts', { email: 'ann@example.com', fields: { first_name: 'Ann' } })
    await made.post('/api/contacts', { email: 'bob@example.com', fields: { first_name: 'Bob' } })
    await page.getByRole('link', { name: 'Templates' }).click()
    await page.getByRole('row', { name: /welcome_email.*Built in/ }).waitFor()
    await inspect(page, 'templates')
    await page.getByRole('link', { name: 'welcome_email' }).click()
    const mail = frame(page, 'The mail as HTML')
    await mail.getByText('Hello Bob,').waitFor()
    await page.getByRole('combobox', { name: 'For whom' }).fill('ann')
    await page.getByRole('option', { name: 'ann@example.com' }).click()
    await mail.getByText('Hello Ann,').waitFor()
    const html = page.getByRole('textbox', { name: 'HTML' })
    await html.fill('<p>Dear {{ contact.first_name }}</p>\n<script>parent.hacked = 1</script>\n{{ code | nope }}')
    await page.getByRole('button', { name: /^Line 3: undefined filter: nope/ }).click()
    assert.equal(await page.evaluate('getSelection().toString()'), '{{ code | nope }}')
    await look(page, 'template-fault')
    await html.fill(
      '<p>Dear {{ contact.first_name }}</p>\n<script>parent.hacked = 1</script>\n<img src="http://127.0.0.1:9/x.png">\n<a href="/login">{{ code }}</a>',
    )
    await mail.getByText('Dear Ann').waitFor()
    assert.equal(await page.evaluate('window.hacked'), undefined)
    await page.getByText('Nobody gives this variable').waitFor()
    await page.getByText('A picture that lies on another server is not loaded here.').waitFor()
    await inspect(page, 'template')
  })

  await t.test('it is saved as a version, sent to one person, and taken back', async () => {
    await page.getByRole('button', { name: 'Send to one person' }).click()
    await page.getByText('Your changes are not saved, and so not in it.').waitFor()
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
    await page.getByRole('button', { name: 'Save as new version' }).click()
    await page.getByText('Saved as version 1').waitFor()
    await page.getByLabel('Subject').fill('Welcome, {{ contact.first_name }}')
    await page.getByRole('button', { name: 'Save as new version' }).click()
    await page.getByText('Saved as version 2').waitFor()
    await page.getByRole('button', { name: 'Send to one person' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('combobox', { name: 'To' }).fill('bob')
    await page.getByRole('option', { name: 'bob@example.com' }).click()
    await look(page, 'template-send')
    await dialog.getByRole('button', { name: 'Send', exact: true }).click()
    await page.getByText('The mail is in the outbox').waitFor()
    await page.getByRole('button', { name: 'Look at version 1' }).click()
    await dialog.getByText('Welcome to {{ account.name }}').waitFor()
    await look(page, 'template-version')
    await dialog.getByRole('button', { name: 'Bring it back' }).click()
    await page.getByText('The texts of version 1 are back, as version 3').waitFor()
    await page.locator('input[value="Welcome to {{ account.name }}"]').waitFor()
    await page.getByRole('button', { name: 'More' }).click()
    await page.getByRole('menuitem', { name: 'Back to how it came' }).click()
    await dialog.getByText(/^Your 3 versions of it are deleted/).waitFor()
    await dialog.getByRole('button', { name: 'Back to how it came' }).click()
    await page.getByText('welcome_email is as it came').waitFor()
    await frame(page, 'The mail as HTML').getByText('Hello Ann,').waitFor()
    assert.equal((await made.get('/api/templates/welcome_email')).body.data.version, 0)
  })

  await t.test(
    'one of one’s own is made, welcomes by a form, and is deleted with what comes of that said',
    async () => {
      await page.getByRole('link', { name: 'All templates' }).click()
      await page.getByRole('link', { name: 'New template' }).click()
      await page.getByLabel('Name', { exact: true }).fill('Spring Offer')
      await page.getByRole('button', { name: 'Make template' }).click()
      await page.getByText('Only small letters, digits and underscores').waitFor()
      await page.getByLabel('Name', { exact: true }).fill('spring_offer')
      await inspect(page, 'template-new')
      await page.getByRole('button', { name: 'Make template' }).click()
      await page.getByRole('heading', { level: 1, name: 'spring_offer' }).waitFor()
      await made.patch('/api/forms/1', { welcome_template: 'spring_offer' })
      await page.getByRole('button', { name: 'More' }).click()
      await page.getByRole('menuitem', { name: 'Delete the template' }).click()
      await page.getByText('“Newsletter” welcomes people by it: that form will welcome nobody.').waitFor()
      await look(page, 'template-delete')
      await page.getByRole('dialog').getByRole('button', { name: 'Delete the template' }).click()
      await page.getByText('spring_offer is deleted').waitFor()
    },
  )

  await t.test('the outbox has what was sent, by state and person, each with all that it says', async () => {
    for (let at = 0; at < 52; at++) await made.post('/api/templates/welcome_email/send', { email: 'ann@example.com' })
    await made.db.query(sql`
      update messages set phase = 'failed', attempts = 3, error = 'the mail server answered 550'
      where id = (select id from messages order by id limit 1)`)
    await page.getByRole('link', { name: 'Outbox' }).click()
    await page.getByText('50 of 53').waitFor()
    assert.equal(await page.getByRole('row').nth(1).locator('time').count(), 1, 'what was kept was not sent')
    await inspect(page, 'outbox')
    await page.getByRole('button', { name: 'Show more' }).click()
    await page.getByText('53 of 53').waitFor()
    await page.getByRole('combobox', { name: 'State' }).click()
    await page.getByRole('option', { name: 'Failed' }).click()
    await page.getByRole('row', { name: /bob@example\.com.*Failed.*answered 550.*3/ }).waitFor()
    assert.match(page.url(), /phase=failed/)
    await page.getByRole('combobox', { name: 'Of whom' }).fill('ann')
    await page.getByRole('option', { name: 'ann@example.com' }).click()
    await page.getByText('No mail is like that').waitFor()
    await page.getByRole('combobox', { name: 'Of whom' }).click()
    await page.getByRole('option', { name: 'Everybody' }).click()
    await page.getByRole('link', { name: 'welcome_email' }).click()
    await page.getByRole('heading', { level: 1, name: 'Welcome, Bob' }).waitFor()
    await page.getByText('It did not go, and is not tried again by itself.').waitFor()
    await frame(page, 'The mail as HTML').getByText('Dear Bob').waitFor()
    await inspect(page, 'message')
    await page.getByRole('button', { name: 'Send again to bob@example.com' }).click()
    await page.getByText('It can not be sent again').waitFor()
    await page.getByText('There is no mail server', { exact: false }).waitFor()
    await page.getByRole('tab', { name: 'Plain text' }).click()
    await page.getByText('Thank you for signing up.').waitFor()
    await page.getByRole('tab', { name: 'Headers' }).click()
    await page.getByRole('row', { name: /List-Unsubscribe-Post.*One-Click/ }).waitFor()
    await look(page, 'message-headers')
    await page.getByRole('link', { name: 'bob@example.com' }).click()
    await page.getByRole('heading', { level: 1, name: 'bob@example.com' }).waitFor()
  })

  await t.test('what speaks of a field, a list, a template is named there, and leads to it', async () => {
    const { id: second } = (await made.post('/api/forms', { name: 'Second', welcome_template: 'welcome_email' })).body
      .data
    const toForm = async (of: Locator, name = 'Newsletter') => {
      await of.getByRole('link', { name }).click()
      await page.getByRole('heading', { level: 1, name }).waitFor()
    }
    await open('/fields')
    await toForm(page.getByRole('row', { name: /^Plan/ }))
    await page.getByRole('link', { name: 'Lists', exact: true }).click()
    await page.getByRole('link', { name: 'News', exact: true }).click()
    await toForm(page.getByRole('listitem').filter({ hasText: 'Form:' }))
    await page.getByRole('link', { name: 'Templates' }).click()
    await page.getByRole('link', { name: 'welcome_email' }).click()
    await toForm(page.getByRole('listitem').filter({ hasText: 'Form:' }), 'Second')
    await made.del(`/api/forms/${second}`)
    await open('/forms/1')
  })

  await t.test('sign-ups are a line by day, and numbers for who does not see it', async () => {
    await made.db.query(sql`
      insert into form_counts (account_id, form_id, quarter, sign_ups, confirmed)
      select ${made.accountId}, 1, date_trunc('hour', now()) - n * interval '1 day', 3 + n % 4, 2 
      from (select generate_series(1, 20) union select 60) as days (n)`)
    await page.reload()
    const signUps = page.locator('section', { has: page.getByRole('heading', { name: 'Sign-ups' }) })
    const chart = signUps.getByRole('img', { name: '90 sign-ups, 40 confirmed' })
    await chart.locator('svg').first().waitFor()
    await chart.scrollIntoViewIfNeeded()
    await look(page, 'form-sign-ups')
    await signUps.getByText('90 days', { exact: true }).click()
    await signUps.getByRole('img', { name: '93 sign-ups, 42 confirmed' }).waitFor()
  })

  await t.test('a form is deleted, with what comes of that said', async () => {
    await open('/forms/1')
    await page.locator('input[value^="spring_offer: there is no such template"]').waitFor()
    // What is typed while the service answers is not taken for saved.
    await page.route('**/forms/1', async (route) => {
      if (route.request().method() === 'PATCH') await page.getByLabel('Title').fill('Come in, all')
      await route.continue()
    })
    await page.getByLabel('Title').fill('Come in')
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await page.getByText('The form is saved').waitFor()
    await page.unroute('**/forms/1')
    assert.equal((await made.get('/api/forms/1')).body.data.title, 'Come in')
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await page.getByText('There are changes that are not saved.').waitFor({ state: 'hidden' })
    assert.equal((await made.get('/api/forms/1')).body.data.title, 'Come in, all')
    await page.getByRole('button', { name: 'More' }).click()
    await page.getByRole('menuitem', { name: 'Delete the form' }).click()
    await page.getByText(/^Who has come by it stays/).waitFor()
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
    const viewer = await made.signedIn('viewer')
    await viewer.open('/forms/1')
    await viewer.page.getByLabel('Title').and(viewer.page.locator(':disabled')).waitFor()
    assert.equal(await viewer.page.getByRole('button', { name: 'Save' }).count(), 0)
    await inspect(viewer.page, 'form-viewer')
    await viewer.open('/forms/new')
    await viewer.page.getByText('This needs another role').waitFor()
    await viewer.open('/templates/welcome_email')
    await frame(viewer.page, 'The mail as HTML').getByText('Hello').waitFor()
    assert.equal(await viewer.page.getByRole('button', { name: /^(Send|Save)/ }).count(), 0)
    await viewer.open('/outbox')
    await viewer.page.getByText('What a mail says is for editors').waitFor()
    const [message] = (await made.get('/api/messages')).body.data
    await viewer.open(`/outbox/${message.id}`)
    await viewer.page.getByText('This needs another role').waitFor()
    await look(viewer.page, 'message-forbidden')
    await page.getByRole('button', { name: 'More' }).click()
    await page.getByRole('menuitem', { name: 'Delete the form' }).click()
    await look(page, 'form-delete')
    await page.getByRole('dialog').getByRole('button', { name: 'Delete the form' }).click()
    await page.getByText('Newsletter is deleted').waitFor()
    await page.getByText('There is no form yet').waitFor()
  })
})
