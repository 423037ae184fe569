import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page, Route } from 'playwright-core'
import { mailServer } from '../../server/test/mail-server.ts'
import { until } from '../../server/test/until.ts'
import { inspect, look, pages, picture } from './browser.ts'

/** Requests for what pages show: all but the session, without which there is none. */
const DATA = /\/api\/(?!session$)/
/** One of the questions beside the main one of a page. */
const FIELDS = /\/contact_fields$/

const answering = (status: number) => (route: Route) =>
  route.fulfill({ status, contentType: 'application/json', body: '{"error":"made to fail"}' })

const tryAgain = (page: Page) => page.getByRole('button', { name: 'Try again' })
const failures = (page: Page) => page.getByText(/could (not )?be loaded$/)

/** Nothing is waited for any more: neither lines in the place of what comes, nor a page without its heading. */
async function settled(page: Page): Promise<void> {
  await page.getByRole('heading', { level: 1 }).waitFor()
  await until(async () => (await page.locator('main [aria-busy=true]').count()) === 0, 60_000)
}

/**
 * Presses one button after the other until none is left and something holds: what has failed beside a part is told, by a bar with
 * a button of its own, only once the part itself is there.
 */
async function triedAgain(page: Page, holds: () => Promise<boolean>): Promise<void> {
  await until(async () => {
    const button = tryAgain(page).first()
    if ((await button.count()) > 0) await button.click({ timeout: 1000 }).catch(() => {}) // it may have gone meanwhile
    await settled(page)
    return (await tryAgain(page).count()) === 0 && (await holds())
  }, 60_000)
}

test('every page says that it could not be loaded, and loads when it is tried again', async (t) => {
  const smtp = await mailServer(t)
  const made = await pages(t, {
    WEBHOOK_ALLOW_PRIVATE: 'true',
    SMTP_URL: smtp.url,
    MAIL_FROM: 'news@rollcall.example',
    PUBLIC_URL: 'http://127.0.0.1',
  })
  const list = (await made.post('/api/contact_lists', { name: 'News' })).body.id
  await made.post('/api/contact_lists', { name: 'Everyone', criteria: { all: [] } })
  const { id: contact } = (await made.post('/api/contacts', { email: 'ann@example.com' })).body.data
  const webhook = (await made.post('/api/webhooks', { url: 'http://127.0.0.1:9/' })).body
  const form = (await made.post('/api/forms', { name: 'Sign up' })).body.data
  smtp.moods.push(550) // to the mail that comes next
  await made.post('/api/templates/welcome_email/send', { email: 'ann@example.com' })
  const [message] = (await made.get('/api/messages')).body.data
  const { id: file } = (await made.post('/api/contact_imports', { contacts: [{ email: 'bob@example.com' }] })).body
  await until(async () => (await made.get(`/api/contact_imports/${file}`)).body.phase === 'finished', 60_000)
  const { page, open } = await made.signedIn('admin')

  const ROUTES = [
    '',
    '/contacts',
    `/contacts/${contact}`,
    '/lists',
    '/lists/new',
    `/lists/${list}`,
    '/activity',
    '/imports',
    `/imports/${file}`,
    '/changes',
    `/changes/${file}`,
    '/exports',
    '/fields',
    '/forms',
    '/forms/new',
    `/forms/${form.id}`,
    '/templates',
    '/templates/welcome_email',
    '/outbox',
    `/outbox/${message.id}`,
    '/suppressions',
    '/webhooks',
    `/webhooks/${webhook.id}`,
    ...['tokens', 'users', 'account', 'providers', 'audit'].map((tab) => `/settings?tab=${tab}`),
  ]
  for (const [at, path] of ROUTES.entries())
    await t.test(`${path || '/'}: it fails, and then does not`, async () => {
      await page.route(DATA, at % 3 === 0 ? (route) => route.abort() : answering(500))
      await page.goto(`/accounts/${made.accountId}${path}`)
      await tryAgain(page).first().waitFor()
      await settled(page)
      const name = `failing${path.replace(/[\da-f-]{8,}|\d+/g, 'one').replace(/\W+/g, '-')}`
      // What says it is the same everywhere: axe looks at some, a person at all.
      await (at % 5 === 0 ? look : picture)(page, name)
      await page.unroute(DATA)
      await triedAgain(page, async () => (await failures(page).count()) === 0)
    })

  await t.test('a mail that failed is sent again, and seen to go', async () => {
    await open(`/outbox/${message.id}`)
    await page.getByText('It did not go, and is not tried again by itself.').waitFor()
    await page.getByRole('button', { name: 'Send again to ann@example.com' }).click()
    await page.getByText('The mail is on its way again').waitFor()
    await page.getByText('The mail server has taken it.').waitFor()
    assert.equal(await page.getByRole('button', { name: /^Send again/ }).count(), 0)
    assert.equal(smtp.mails.length, 1)
  })

  await t.test('what is refused or is not there is no failure, and is not tried again', async () => {
    await page.route(DATA, answering(404))
    await open(`/lists/${list}`)
    await page.getByRole('heading', { name: 'There is nothing here' }).waitFor()
    await page.unroute(DATA)
    await page.route(DATA, answering(403))
    await open('/webhooks')
    await page.getByRole('heading', { name: 'This needs another role' }).waitFor()
    assert.equal(await tryAgain(page).count(), 0)
    await page.unroute(DATA)
  })

  await t.test('a part that has no place to say so is told of over the page, and goes when it is there', async () => {
    await page.route(FIELDS, answering(500))
    await open(`/contacts/${contact}`)
    await page.getByText('Not everything on this page could be loaded').waitFor()
    await page.getByRole('heading', { level: 1, name: 'ann@example.com' }).waitFor()
    await inspect(page, 'failing-part')
    await page.unroute(FIELDS)
    await tryAgain(page).click()
    await page.getByText('Not everything on this page could be loaded').waitFor({ state: 'hidden' })
  })

  await t.test('without a network the pages say so, and go on when there is one', async () => {
    await open('/lists')
    await page.getByRole('link', { name: 'News' }).click()
    await page.getByRole('heading', { level: 1, name: 'News' }).waitFor()
    await page.goBack()
    const other = page.getByRole('link', { name: 'Everyone' })
    await other.waitFor()
    await page.context().setOffline(true)
    await other.click()
    await page
      .getByText(/^Rollcall can not be reached/)
      .first()
      .waitFor()
    await look(page, 'failing-offline')
    await page.context().setOffline(false)
    await triedAgain(page, () => page.getByRole('heading', { level: 1, name: 'Everyone' }).isVisible())
  })

  await t.test('who is signed in can not be asked: nothing but that, until it can', async () => {
    // A page that nobody listens to: React writes what the page has caught and told to the console, too.
    const quiet = await page.context().newPage()
    await quiet.route(/\/api\//, answering(503))
    await quiet.goto(`/accounts/${made.accountId}/lists`)
    await tryAgain(quiet).waitFor()
    await inspect(quiet, 'failing-session')
    await quiet.unroute(/\/api\//)
    await tryAgain(quiet).click()
    await quiet.getByRole('heading', { level: 1, name: 'Lists' }).waitFor()
  })
})
