import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type Browser, type BrowserContext, type Page, chromium as playwright } from 'playwright-core'
import type { Role } from '../../server/http/caller.ts'
import type { TestApp } from '../../server/test/app.ts'
import { PASSWORD, userIn } from '../../server/test/browser.ts'
import { atEnd } from '../../server/test/database.ts'
import { live } from '../../server/test/live.ts'
import { chromiumPath } from './chromium.ts'

export { PASSWORD }

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Where pictures of every page go, for a person to look at; git does not see it. */
const PICTURES = join(import.meta.dirname, '../pictures')

/** Longer than anything takes on a busy machine five times slower; a wait that is met ends at once. */
const PATIENCE_MS = Number(process.env.UI_PATIENCE_MS ?? 60_000)

export const DESKTOP = { width: 1280, height: 800 }
export const PHONE = { width: 360, height: 740 }

export interface Pages extends TestApp {
  /** Of the pages. */
  origin: string
  browser: Browser
  /** A window of someone with this role in the first account; each call is another browser profile. */
  signedIn: (role?: Role, viewport?: { width: number; height: number }) => Promise<Visitor>
  /** A window of nobody. */
  stranger: (viewport?: { width: number; height: number }) => Promise<Visitor>
}

/** A browser profile with a page in it. */
export interface Visitor {
  page: Page
  context: BrowserContext
  /** Address of the user who is signed in. */
  email: string
  /** Opens a page of the first account: `open('/contacts')`. */
  open: (path: string) => Promise<void>
}

/** The whole service with its pages, and a browser: one of each for a test file. */
export async function pages(t: TestContext, settings: Record<string, string> = {}): Promise<Pages> {
  const faults: string[] = []
  // Registered first, and so looked at last, when all that was started has been stopped.
  atEnd(t, () => assert.deepEqual(faults, []))
  const made = await live(t, settings)
  const { origin } = made
  const browser = await playwright.launch({
    executablePath: await chromiumPath(),
    // Without those of the package: they are for a place that has one process for all, and turn off what pages are held to.
    args: ['--no-sandbox', '--disable-gpu'],
    headless: true,
  })
  atEnd(t, () => browser.close())

  let users = 0
  const visit = async (email: string, viewport = DESKTOP): Promise<Visitor> => {
    const context = await browser.newContext({
      viewport,
      locale: 'en-GB',
      timezoneId: 'Europe/Berlin',
      reducedMotion: 'reduce',
      baseURL: origin,
    })
    context.setDefaultTimeout(PATIENCE_MS)
    const page = await context.newPage()
    watch(page, origin, faults)
    return { page, context, email, open: (path) => goTo(page, `/accounts/${made.accountId}${path}`) }
  }
  return {
    ...made,
    origin,
    browser,
    stranger: (viewport) => visit('', viewport),
    signedIn: async (role = 'admin', viewport) => {
      const email = `${role}${++users}@example.com`
      await userIn(made.db, email, { [made.accountId]: role })
      const visitor = await visit(email, viewport)
      const answer = await visitor.context.request.post('/api/session', {
        data: { email, password: PASSWORD },
        headers: { 'x-rollcall-ui': '1', origin },
      })
      assert.equal(answer.status(), 201, await answer.text())
      return visitor
    },
  }
}

async function goTo(page: Page, path: string): Promise<void> {
  await page.goto(path)
  await page.getByRole('heading', { level: 1 }).waitFor()
}

/** What no page may do: throw, log an error, break the Content-Security-Policy, send a request elsewhere. */
function watch(page: Page, origin: string, faults: string[]): void {
  page.on('pageerror', (error) => faults.push(`thrown: ${error.stack ?? error.message}`))
  page.on('console', (message) => {
    // That a request was refused is said to the console by the browser itself.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) faults.push(message.text())
  })
  page.on('request', (request) => {
    if (!request.url().startsWith(origin) && !/^(data|blob):/.test(request.url()))
      faults.push(`request to ${request.url()}`)
  })
}

const WCAG = { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }
/** All that can be another when the colours alone are. */
const COLORS = ['color-contrast', 'link-in-text-block']
const ONLY_COLORS = { runOnly: { type: 'rule', values: COLORS } }
/** When the colours alone are the same: they take the most time. */
const ALL_BUT_COLORS = { ...WCAG, rules: Object.fromEntries(COLORS.map((rule) => [rule, { enabled: false }])) }

/** Fails if axe finds anything that WCAG 2.2 AA forbids and that it calls serious or critical. */
export async function accessible(page: Page, what: string, rules: object = WCAG): Promise<void> {
  // Half faded in, nothing has the contrast that it will have.
  await page.evaluate(
    `Promise.all(document.getAnimations()
      .filter((animation) => animation.effect?.getComputedTiming().iterations !== Infinity)
      .map((animation) => animation.finished.catch(() => {})))`,
  )
  // The policy of the pages lets no script in but their own; the tool comes by the debugger's door.
  if (await page.evaluate('!window.axe')) await page.evaluate(AXE)
  const found = await page.evaluate(
    `axe.run(document, { ...${JSON.stringify(rules)}, resultTypes: ['violations'], preload: false })
      .then(({ violations }) => violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(({ id, help, nodes }) => id + ': ' + help + '\\n' + nodes.map((node) => '  ' + node.html + '\\n    ' + (node.any[0]?.message ?? node.failureSummary)).join('\\n')))`,
  )
  assert.deepEqual(found, [], `axe, ${what}:\n${(found as string[]).join('\n')}`)
}

/** A picture of the page for a person to look at. */
export async function picture(page: Page, name: string): Promise<void> {
  mkdirSync(PICTURES, { recursive: true })
  await page.screenshot({ path: join(PICTURES, `${name}.png`), animations: 'disabled' })
}

/** The same as it is now alone: for dialogs over a page that is inspected elsewhere. */
export async function look(page: Page, name: string): Promise<void> {
  await picture(page, name)
  await accessible(page, name)
}

/** Looks at a page as it is now in light, dark, and on a phone: pictures of each, axe on each, and nothing wider than the phone. */
export async function inspect(page: Page, name: string): Promise<void> {
  const before = page.viewportSize() ?? DESKTOP
  for (const scheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' })
    await page.locator(`html[data-mantine-color-scheme="${scheme}"]`).waitFor()
    await picture(page, `${name}-${scheme}`)
    await accessible(page, `${name}, ${scheme}`, scheme === 'light' ? WCAG : ONLY_COLORS)
  }
  await page.emulateMedia({ colorScheme: 'light' })
  await page.setViewportSize(PHONE)
  await picture(page, `${name}-phone`)
  await accessible(page, `${name}, phone`, ALL_BUT_COLORS)
  const width = await page.evaluate('document.documentElement.scrollWidth')
  assert.ok(Number(width) <= PHONE.width, `${name} is ${width} wide on a phone of ${PHONE.width}`)
  await page.setViewportSize(before)
}
