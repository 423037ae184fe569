import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page, Request, Route } from 'playwright-core'
import { mailServer } from '../../server/test/mail-server.ts'
import { until } from '../../server/test/until.ts'
import { inspect, look, pages, picture } from './browser.ts'

/** Requests for what pages show: all but the session, without which there is none. */
const DATA = /\/api\/(?!session$)/
/** One of the questions beside the main one of a page. */
const FIELDS = /\/contact_fields$/

const answering = (status: number) => (route: Route) =>
  route.fulfill({ status, contentType: 'application/json', body: '{"error":"made to fail"}' })

const MADE_TO_FAIL = {
  responseHeaders: [{ name: 'content-type', value: 'application/json' }],
  body: Buffer.from('{"error":"made to fail"}').toString('base64'),
}

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
  // Not by `page.route`: for as long as that is there nothing comes from the browser's cache, and each of these loads its scripts anew.
  const cdp = await page.context().newCDPSession(page)
  let broken: 'no' | 'lost' | 'refused' = 'no'
  cdp.on('Fetch.requestPaused', ({ requestId, request }) => {
    const answer =
      broken === 'no' || !DATA.test(request.url)
        ? cdp.send('Fetch.continueRequest', { requestId })
        : broken === 'lost'
          ? cdp.send('Fetch.failRequest', { requestId, errorReason: 'Failed' })
          : cdp.send('Fetch.fulfillRequest', { requestId, responseCode: 500, ...MADE_TO_FAIL })
    answer.catch(() => {}) // a page that is left takes its questions with it
  })
  await cdp.send('Fetch.enable', { patterns: [{ urlPattern: '*/api/*' }] })
  for (const [at, path] of ROUTES.entries())
    await t.test(`${path || '/'}: it fails, and then does not`, async () => {
      broken = at % 3 === 0 ? 'lost' : 'refused'
      await page.goto(`/accounts/${made.accountId}${path}`)
      await tryAgain(page).first().waitFor()
      await settled(page)
      const name = `failing${path.replace(/[\da-f-]{8,}|\d+/g, 'one').replace(/\W+/g, '-')}`
      // What says it is the same everywhere: axe looks at some, a person at all.
      await (at % 5 === 0 ? look : picture)(page, name)
      broken = 'no'
      await triedAgain(page, async () => (await failures(page).count()) === 0)
    })
  await cdp.detach()

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

  await t.test(
    'what is never answered is said to be slow, and given up: who is signed in, a page, a save, an upload',
    async () => {
      // As above: nobody listens to it.
      const still = await (await made.signedIn('editor')).context.newPage()
      const openStill = (path: string) => still.goto(`/accounts/${made.accountId}${path}`)
      const { clock } = still
      await clock.install()
      /** Nothing comes back any more; resolves with what sends the clock on, once something has been asked. */
      const silent = async (what: RegExp, method: string, act: () => Promise<unknown>) => {
        const isMeant = (request: Request) => what.test(request.url()) && request.method() === method
        await still.route(what, (route) => (isMeant(route.request()) ? undefined : route.fallback()))
        const asked = still.waitForRequest(isMeant)
        await act()
        await asked
      }
      const givenUp = still.getByText(/^Rollcall has not answered/).first()

      await silent(/\/api\/session$/, 'GET', () => openStill('/lists'))
      await clock.fastForward(2000)
      await still.getByRole('status', { name: 'Loading…' }).waitFor()
      await clock.fastForward(9000)
      await still.getByText(/^This takes longer than it should/).waitFor()
      await clock.fastForward(30_000)
      await givenUp.waitFor()
      await still.unroute(/\/api\/session$/)
      await tryAgain(still).click()
      await still.getByRole('link', { name: 'News' }).waitFor()

      await silent(/\/contact_lists(\?|$)/, 'GET', () => openStill('/lists'))
      await clock.fastForward(9000)
      await still.getByText(/^This takes longer than it should/).waitFor()
      await picture(still, 'waiting')
      await clock.fastForward(30_000)
      await givenUp.waitFor()
      await still.unroute(/\/contact_lists(\?|$)/)
      await tryAgain(still).click()
      await still.getByRole('link', { name: 'News' }).waitFor()

      const dialog = still.getByRole('dialog')
      await silent(/\/contact_lists$/, 'POST', async () => {
        await still.getByRole('button', { name: 'New list' }).click()
        await dialog.getByLabel('Name').fill('Kept')
        await dialog.getByRole('button', { name: 'Create' }).click()
      })
      await clock.fastForward(31_000)
      await dialog.getByText(/Whether this has been done is not known/).waitFor()
      await still.unroute(/\/contact_lists$/)
      await dialog.getByRole('button', { name: 'Create' }).click()
      await still.getByRole('heading', { level: 1, name: 'Kept' }).waitFor()

      await openStill('/imports/new')
      await still
        .locator('input[type=file]')
        .setInputFiles({ name: 'people.csv', mimeType: 'text/csv', buffer: Buffer.from('email\ncy@example.com\n') })
      await still.getByRole('button', { name: 'Continue' }).click()
      await still.getByRole('radio', { name: 'They agreed to hear from us' }).click()
      await still.getByLabel('Where they agreed').fill('Spring fair')
      const send = () => still.getByRole('button', { name: 'See what would happen' }).click()
      await silent(/\/contact_imports$/, 'POST', send)
      await clock.fastForward(60_000)
      await still.getByText(/^(Sending the file|The file has been sent)/).waitFor()
      assert.equal(await givenUp.count(), 0, 'what moves has no limit as a whole')
      await clock.fastForward(121_000)
      await givenUp.waitFor()
      const given = still.waitForEvent('requestfailed')
      const again = still.waitForRequest(/\/contact_imports$/)
      await send()
      await again
      await still.getByRole('button', { name: 'Cancel' }).click()
      await given
      await still.getByText('Nothing changes yet.').waitFor()
      await still.unroute(/\/contact_imports$/)
      await send()
      await still.getByText('What this file would do').waitFor()
    },
  )
})
