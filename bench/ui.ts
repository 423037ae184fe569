import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BrowserContext, type CDPSession, type Page, chromium as playwright } from 'playwright-core'
import sql from 'sql-template-tag'
import { chromiumPath } from '../admin/test/chromium.ts'
import { beginSession } from '../server/features/accounts/sessions.ts'
import { createUser } from '../server/features/accounts/users.ts'
import { hashPassword } from '../server/lib/password.ts'
import { contactFields, loadContacts } from './dataset.ts'
import { type Lab, openLab } from './lab.ts'
import { describeMachine } from './machine.ts'
import { digits, type Figure, progress } from './report.ts'
import { median, quantile } from './statistics.ts'

const PROBE = readFileSync(join(import.meta.dirname, 'programs/ui-probe.js'), 'utf8')
const ROW_PX = 40
const SCROLLED_ROWS = 50_000
const SEARCHES = ['anna', 'smith', 'mueller', 'gmail', 'zeb', 'maria.g', 'web.de', 'jo', 'hansen9', 'nobody at all']

const TARGETS = { scriptKb: 250, interactiveMs: 1500, paintedMs: 300, blankMs: 200 }

export interface UiOptions {
  rounds: number
  contacts: number
  profileDir?: string | undefined
}

/** The pages in Chromium over a large account, beside the service on the same machine. */
export async function benchUi({
  rounds,
  contacts,
  profileDir,
}: UiOptions): Promise<{ machine: string; figures: Figure[] }> {
  const lab = await openLab({ profileDir })
  const browser = await playwright.launch({
    executablePath: await chromiumPath(),
    args: ['--no-sandbox', '--disable-gpu', '--enable-precise-memory-info'],
  })
  try {
    await lab.db.query(contactFields(1))
    await loadContacts(lab.db, 1, contacts)
    await lab.db.query({ text: 'vacuum analyze', values: [] })
    const { address } = await lab.start('api')
    const cookie = await session(lab)
    const visit = async (): Promise<{ page: Page; context: BrowserContext; cdp: CDPSession }> => {
      const context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
      await context.addCookies([{ name: 'rollcall', value: cookie, url: address }])
      await context.addInitScript(PROBE)
      const page = await context.newPage()
      return { page, context, cdp: await context.newCDPSession(page) }
    }

    const scripts: number[] = []
    const interactive: number[] = []
    for (let round = 0; round <= rounds; round++) {
      const home = await visit()
      await home.page.goto(`${address}/accounts/1`)
      await home.page.locator('h1').waitFor()
      const bytes = Number(await home.page.evaluate('probe.scripts()'))
      await home.context.close()
      // A profile of its own each time: nothing is in its cache.
      const { page, context } = await visit()
      await page.goto(`${address}/accounts/1/contacts`)
      await page.waitForFunction('probe.firstRow !== undefined')
      const ms = Number(await page.evaluate('probe.firstRow'))
      await context.close()
      if (round === 0) continue // which warms up the service
      scripts.push(bytes / 1000)
      interactive.push(ms)
    }
    progress('loaded')

    const { page, cdp } = await visit()
    await page.goto(`${address}/accounts/1/contacts`)
    await page.waitForFunction('probe.firstRow !== undefined')
    const painted = await searches(page)
    progress('searched')
    await page.locator('input').first().fill('')
    const first = await heapMb(cdp)
    await page.goto(`${address}/accounts/1/contacts`)
    await page.waitForFunction('probe.firstRow !== undefined')
    const { longest, rows } = (await page.evaluate(
      `probe.scroll(${Math.min(SCROLLED_ROWS, contacts - 100)}, ${ROW_PX})`,
    )) as {
      longest: number
      rows: number
    }
    const last = await heapMb(cdp)

    const worst = quantile(painted, 0.95)
    return {
      machine: await describeMachine(lab.db),
      figures: [
        figure(
          'first page: compressed script',
          `${digits(median(scripts))} kB`,
          `≤ ${TARGETS.scriptKb} kB`,
          median(scripts) <= TARGETS.scriptKb,
        ),
        figure(
          `contacts page of ${contacts.toLocaleString('en')}, cold: first row on the screen`,
          `${digits(median(interactive))} ms`,
          `≤ ${TARGETS.interactiveMs} ms`,
          median(interactive) <= TARGETS.interactiveMs,
        ),
        figure(
          'search result painted after the answer, p95',
          `${digits(worst)} ms`,
          `≤ ${TARGETS.paintedMs} ms`,
          worst <= TARGETS.paintedMs,
        ),
        figure(
          `scrolling through ${rows.toLocaleString('en')} rows: longest blank`,
          `${digits(longest)} ms`,
          `≤ ${TARGETS.blankMs} ms`,
          longest <= TARGETS.blankMs,
        ),
        figure(
          'JavaScript heap before and after the scrolling',
          `${digits(first)} → ${digits(last)} MB`,
          '',
          undefined,
        ),
      ],
    }
  } finally {
    await browser.close()
    await lab.stop()
  }
}

function figure(what: string, measured: string, target: string, met: boolean | undefined): Figure {
  return { what, measured, floor: '', ratio: '', target, met }
}

/** What the cookie of an administrator holds. */
async function session(lab: Lab): Promise<string> {
  const password = await hashPassword('a few words to keep in mind')
  return lab.db.transaction(async (trx) => {
    const userId = await createUser(trx, { email: 'bench@example.com', name: 'Bench', password })
    trx.send(sql`insert into account_users (account_id, user_id, role) values (1, ${userId}, 'admin')`)
    return beginSession(trx, userId, { ip: null, network: '', agent: undefined })
  })
}

/** ms from the end of the API's answer to the frame that shows it, for each search. */
async function searches(page: Page): Promise<number[]> {
  const input = page.locator('input').first()
  const taken: number[] = []
  for (const text of SEARCHES) {
    const answer = page.waitForResponse((response) => {
      const body = response.request().postData() ?? ''
      return (
        response.url().endsWith('/contacts/search') && body.includes(JSON.stringify(text)) && body.includes('"capped"')
      )
    })
    await input.fill(text)
    await (await answer).finished()
    await page.waitForFunction('probe.painted > probe.answered()')
    taken.push(Number(await page.evaluate('probe.painted - probe.answered()')))
  }
  return taken
}

async function heapMb(cdp: CDPSession): Promise<number> {
  await cdp.send('HeapProfiler.collectGarbage')
  const { usedSize } = await cdp.send('Runtime.getHeapUsage')
  return usedSize / 1e6
}
