import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type BrowserContext, type CDPSession, type Page, chromium as playwright } from 'playwright-core'
import sql from 'sql-template-tag'
import { chromiumPath } from '../admin/test/chromium.ts'
import { beginSession } from '../server/features/accounts/sessions.ts'
import { createUser } from '../server/features/accounts/users.ts'
import { hashPassword } from '../server/lib/password.ts'
import { loadAudience, SPREAD } from './audience.ts'
import { contactFields, loadContacts } from './dataset.ts'
import { type Lab, openLab } from './lab.ts'
import { describeMachine } from './machine.ts'
import { digits, type Figure, progress } from './report.ts'
import { median, quantile } from './statistics.ts'

const PROBE = readFileSync(join(import.meta.dirname, 'programs/ui-probe.js'), 'utf8')
const ROW_PX = 40
const SCROLLED_ROWS = 50_000
/** After so many rows the memory is looked at. */
const STRETCH = 10_000
const JUMPS = 20
/** After the jumps, until pages that are out of sight are let go. */
/** An answer that comes between a collection and the look is 2 MB for a moment: the least of some looks is what is kept. */
const HEAP_LOOKS = 3
const HEAP_LOOK_MS = 300
const REST_MS = 3000
const SEARCHES = [
  ...['anna', 'smith', 'mueller', 'gmail', 'zeb', 'maria.g', 'web.de', 'jo', 'hansen9', 'nobody at all'],
  ...['emma', 'kowalski', 'zoe', 'orange', 'fatima', 'thomas.s', 'wick', 'kim', 'berolwick', 'quentin'],
]

const TARGETS = { scriptKb: 250, interactiveMs: 1500, paintedMs: 300, countedMs: 500, blankMs: 200, growthMb: 5 }

export interface UiOptions {
  rounds: number
  contacts: number
  profileDir?: string | undefined
  keepDir?: string | undefined
  parts: string[]
}

/** A page in a browser profile of its own: nothing is in its cache. */
interface Visit {
  page: Page
  context: BrowserContext
  cdp: CDPSession
}

interface Bench {
  rounds: number
  contacts: number
  /** Where account 1 has its pages. */
  account: string
  visit: () => Promise<Visit>
}

const PARTS: Record<string, (bench: Bench) => Promise<Figure[]>> = {
  load: async () => [],
  open: opening,
  search: searching,
  count: counting,
  scroll: scrolling,
}

/** The pages in Chromium over a large account, beside the service on the same machine. */
export async function benchUi({
  rounds,
  contacts,
  profileDir,
  keepDir,
  parts,
}: UiOptions): Promise<{ machine: string; figures: Figure[] }> {
  const wanted = parts.length > 0 ? parts : Object.keys(PARTS)
  const unknown = wanted.filter((part) => !PARTS[part])
  if (unknown.length > 0) throw new Error(`ui has the parts ${Object.keys(PARTS).join(', ')}`)
  const lab = await openLab({ profileDir, keepDir })
  const browser = await playwright.launch({
    executablePath: await chromiumPath(),
    args: ['--no-sandbox', '--disable-gpu', '--enable-precise-memory-info'],
  })
  try {
    if (wanted.includes('count')) await loadAudience(lab.db, contacts)
    else await loadPeople(lab, contacts)
    const { address } = await lab.start('api')
    const cookie = await session(lab)
    const visit = async (): Promise<Visit> => {
      const context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
      await context.addCookies([{ name: 'rollcall', value: cookie, url: address }])
      await context.addInitScript(PROBE)
      const page = await context.newPage()
      return { page, context, cdp: await context.newCDPSession(page) }
    }
    const figures: Figure[] = []
    for (const part of wanted) {
      figures.push(...(await PARTS[part]!({ rounds, contacts, account: `${address}/accounts/1`, visit })))
      progress(`done: ${part}`)
    }
    return {
      machine: `${await describeMachine(lab.db)}\n- Chromium ${browser.version()}, headless, 1280 × 800, without a GPU.${wanted.includes('count') ? `\n- ${SPREAD}.` : ''}`,
      figures,
    }
  } finally {
    await browser.close()
    await lab.stop()
  }
}

/** Makes the contacts, or those that are missing of what is kept. */
async function loadPeople({ db }: Lab, contacts: number): Promise<void> {
  const [{ loaded } = { loaded: 0 }] = await db.query<{ loaded: number }>(sql`
    select count(*) as loaded from contacts where account_id = 1`)
  if (loaded === contacts) return
  if (loaded === 0) await db.query(contactFields(1))
  await loadContacts(db, 1, contacts, loaded)
  await db.query({ text: 'vacuum analyze', values: [] })
}

/** What the first page weighs, and how long the table takes to come. */
async function opening({ rounds, contacts, account, visit }: Bench): Promise<Figure[]> {
  const scripts: number[] = []
  const firstRow: number[] = []
  const interactive: number[] = []
  for (let round = 0; round <= rounds; round++) {
    const home = await visit()
    await home.page.goto(account)
    await home.page.locator('h1').waitFor()
    const bytes = Number(await home.page.evaluate('probe.scripts()'))
    await home.context.close()
    const { page, context } = await openContacts({ account, visit })
    const { drawn, idle } = (await page.evaluate('({ drawn: probe.firstRow, idle: probe.interactive })')) as {
      drawn: number
      idle: number
    }
    await context.close()
    if (round === 0) continue // which warms up the service
    scripts.push(bytes / 1000)
    firstRow.push(drawn)
    interactive.push(idle)
  }
  const opened = `contacts page of ${contacts.toLocaleString('en')}, nothing in the cache`
  return [
    figure('first page: compressed script', `${digits(median(scripts))} kB`, 'kB', TARGETS.scriptKb, median(scripts)),
    figure(`${opened}: first row drawn`, `${digits(median(firstRow))} ms`),
    figure(
      `${opened}: interactive`,
      `${digits(median(interactive))} ms`,
      'ms',
      TARGETS.interactiveMs,
      median(interactive),
    ),
  ]
}

async function openContacts({ account, visit }: Pick<Bench, 'account' | 'visit'>): Promise<Visit> {
  const visited = await visit()
  await visited.page.goto(`${account}/contacts`)
  await visited.page.evaluate('probe.until(() => probe.interactive !== undefined)')
  return visited
}

/** From the end of the API's answer to the frame that shows it, for each search. */
async function searching(bench: Bench): Promise<Figure[]> {
  const { page, context } = await openContacts(bench)
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
    await page.evaluate('probe.until(() => probe.painted > probe.answered())')
    taken.push(Number(await page.evaluate('probe.painted - probe.answered()')))
  }
  await context.close()
  return [painted('search result painted after the answer', taken)]
}

/** As people type who know what they want to write. */
const KEY_MS = 120

interface Typed {
  /** By its label, and which of those that have it. */
  input: [label: string, nth?: number]
  text: string
}

/** Conditions whose last value is typed again and again, each time as another. */
const COUNTED: { what: string; about: string; before: Typed[]; last: Typed['input']; texts: string[] }[] = [
  {
    what: 'a field',
    about: 'Company',
    before: [],
    last: ['Value'],
    texts: [
      'Anber Ltd',
      'Corfen GmbH',
      'Elgar Inc',
      'Berdal Group',
      'Anan Ltd',
      'Nobody at all',
      'Holpel Inc',
      'Dalwick GmbH',
    ],
  },
  {
    what: 'a frequent event',
    about: 'Event',
    before: [{ input: ['times'], text: '2' }],
    last: ['Within', 1],
    texts: ['30', '29', '60', '28', '45', '90', '27', '33'],
  },
  {
    what: 'a rare event',
    about: 'Event',
    before: [{ input: ['Within', 1], text: '2' }],
    last: ['times'],
    texts: ['4', '5', '6', '7', '8', '9', '10', '11'],
  },
]

/** From the last key in the builder of a smart list to the frame with the number of those who meet its criteria. */
async function counting({ account, visit }: Bench): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const { what, about, before, last, texts } of COUNTED) {
    const { page, context } = await visit()
    await page.goto(`${account}/lists/new`)
    await page.getByRole('button', { name: 'Condition', exact: true }).click()
    await page.getByRole('combobox', { name: 'What the condition is about' }).click()
    await page.getByRole('option', { name: about, exact: true }).click()
    const type = async ({ input: [label, nth = 0], text }: Typed) => {
      await page.getByLabel(label, { exact: true }).nth(nth).selectText()
      await page.keyboard.type(text, { delay: KEY_MS })
      await page.evaluate('probe.until(() => probe.countedExactly !== undefined)')
      return (await page.evaluate('({ first: probe.counted, exact: probe.countedExactly })')) as {
        first: number
        exact: number
      }
    }
    for (const typed of before) await type(typed)
    const took: { first: number; exact: number }[] = []
    for (const text of texts) took.push(await type({ input: last, text }))
    await context.close()
    const [first, exact] = [took.map((each) => each.first), took.map((each) => each.exact)]
    const worst = quantile(first, 0.95)
    progress(`${what}: ${first.map(digits).join(' ')}; exactly: ${exact.map(digits).join(' ')} ms`)
    figures.push(
      figure(
        `how many meet ${what}, painted after the last key, p95`,
        `${digits(worst)} ms`,
        'ms',
        TARGETS.countedMs,
        worst,
      ),
    )
    if (exact.some((ms, at) => ms > first[at]!))
      figures.push(figure('the same, exact where it is more than 10,000, p95', `${digits(quantile(exact, 0.95))} ms`))
  }
  return figures
}

/** Blank stretches and memory while rows go by, and coming back to rows that are not held any more. */
async function scrolling({ contacts, ...bench }: Bench): Promise<Figure[]> {
  const { page, context, cdp } = await openContacts({ ...bench })
  const last = Math.min(SCROLLED_ROWS, contacts - 100)
  const heap = [await heapMb(cdp)]
  let blankMs = 0
  let tookMs = 0
  let row = 0
  while (row < last) {
    const reached = (await page.evaluate(`probe.scroll(${Math.min(row + STRETCH, last)}, ${ROW_PX})`)) as {
      longest: number
      ms: number
      row: number
    }
    if (reached.row <= row) throw new Error(`the table ends at row ${row}`)
    row = reached.row
    blankMs = Math.max(blankMs, reached.longest)
    tookMs += reached.ms
    heap.push(await heapMb(cdp))
  }
  const jumps: { ms: number; painted: number }[] = []
  for (let nth = 0; nth < JUMPS; nth++) {
    const to = Math.round(((nth * 7) % JUMPS) * (last / JUMPS)) // to and fro
    jumps.push((await page.evaluate(`probe.jump(${to}, ${ROW_PX})`)) as { ms: number; painted: number })
  }
  await sleep(REST_MS)
  heap.push(await heapMb(cdp))
  const growth = Math.max(...heap.slice(1)) - heap[0]!
  await context.close()
  const rows = row.toLocaleString('en')
  return [
    figure(
      `scrolling through ${rows} rows in ${digits(tookMs / 1000)} s: longest blank`,
      `${digits(blankMs)} ms`,
      'ms',
      TARGETS.blankMs,
      blankMs,
    ),
    painted(
      'a page come back to painted after the answer',
      jumps.map((jump) => jump.painted),
    ),
    figure(
      'the same, from the jump on, p95',
      `${digits(
        quantile(
          jumps.map(({ ms }) => ms),
          0.95,
        ),
      )} ms`,
    ),
    figure(
      `JavaScript heap: at the start, every ${STRETCH.toLocaleString('en')} rows, 3 s after ${JUMPS} jumps`,
      `${heap.map(digits).join(' · ')} MB`,
      'MB more',
      TARGETS.growthMb,
      growth,
    ),
  ]
}

function painted(what: string, ms: number[]): Figure {
  const worst = quantile(ms, 0.95)
  return figure(`${what}, p95`, `${digits(worst)} ms`, 'ms', TARGETS.paintedMs, worst)
}

function figure(what: string, measured: string, unit = '', target?: number, value = 0): Figure {
  const met = target === undefined ? undefined : value <= target
  return { what, measured, floor: '', ratio: '', target: target === undefined ? '' : `≤ ${target} ${unit}`, met }
}

/** What the cookie of an administrator holds. */
async function session(lab: Lab): Promise<string> {
  const password = await hashPassword('a few words to keep in mind')
  return lab.db.transaction(async (trx) => {
    const userId = await createUser(trx, { email: `bench${Date.now()}@example.com`, name: 'Bench', password })
    trx.send(sql`insert into account_users (account_id, user_id, role) values (1, ${userId}, 'admin')`)
    return beginSession(trx, userId, { ip: null, network: '', agent: undefined })
  })
}

async function heapMb(cdp: CDPSession): Promise<number> {
  const looks: number[] = []
  for (let look = 0; look < HEAP_LOOKS; look++) {
    await cdp.send('HeapProfiler.collectGarbage')
    const { usedSize } = await cdp.send('Runtime.getHeapUsage')
    looks.push(usedSize / 1e6)
    await sleep(HEAP_LOOK_MS)
  }
  return Math.min(...looks)
}
