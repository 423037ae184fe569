import sql from 'sql-template-tag'
import { createAccount } from '../server/features/accounts/accounts.ts'
import { createToken } from '../server/features/accounts/tokens.ts'
import { contactFields, loadContacts } from './dataset.ts'
import { type Lab, openLab } from './lab.ts'
import { describeMachine } from './machine.ts'
import { digits, type Figure, progress } from './report.ts'
import { quantile } from './statistics.ts'

/** Accounts beside the large one; their sizes grow evenly in ratio from the smallest to the largest. */
const OTHERS = 299
const [SMALLEST, LARGEST] = [100, 10_000]

const SEARCH_MS = 50
const FILTER_MS = 400

/** Asked so often each: enough that a p95 is not one outlier. */
const ASKED = 120

export interface SearchOptions {
  contacts: number
}

interface Asker {
  /** What stands behind `/api/contacts`; answers the body. */
  ask: (
    query: string,
  ) => Promise<{ total: number; total_is_capped?: boolean; next_cursor: string | null; data: { email: string }[] }>
}

/** Search, filters and pages over a large account and in the smallest of many, through the HTTP API. */
export async function benchSearch({ contacts }: SearchOptions): Promise<{ machine: string; figures: Figure[] }> {
  const lab = await openLab()
  try {
    const small = await loadOthers(lab)
    await lab.db.query(contactFields(1))
    await loadContacts(lab.db, 1, contacts)
    const { address } = await lab.start('api')
    const large = asker(address, lab.token)
    const terms = await termsOf(lab, contacts)
    const figures = [
      ...(await searches('right after the load', large, terms)),
      ...(await searches('in the smallest of 300 accounts', asker(address, small), SMALL_TERMS)),
    ]
    progress('vacuum analyze')
    await lab.db.query({ text: 'vacuum analyze', values: [] })
    figures.push(
      ...(await searches('after vacuum', large, terms)),
      ...(await filters(large)),
      ...(await pages(large, contacts)),
    )
    return { machine: await describeMachine(lab.db), figures }
  } finally {
    await lab.stop()
  }
}

/** Answers a token of the smallest account. */
async function loadOthers({ db }: Lab): Promise<string> {
  progress(`loading ${OTHERS} other accounts`)
  const sizes = Array.from({ length: OTHERS }, (_, at) =>
    Math.round(SMALLEST * (LARGEST / SMALLEST) ** (at / (OTHERS - 1))),
  )
  const ids: number[] = []
  for (const size of sizes) {
    const { id } = await createAccount(db, { name: `Of ${size}` })
    await db.query(contactFields(id))
    await loadContacts(db, id, size)
    ids.push(id)
  }
  return (await createToken(db, ids[0]!, { name: 'bench', scopes: ['read'] })).token
}

function asker(address: string, token: string): Asker {
  return {
    async ask(query) {
      const response = await fetch(`${address}/api/contacts?${query}`, { headers: { 'api-token': token } })
      if (!response.ok) throw new Error(`${query}: ${response.status} ${await response.text()}`)
      return response.json() as ReturnType<Asker['ask']>
    },
  }
}

interface Term {
  what: string
  q: string
}

const SMALL_TERMS: Term[] = [
  { what: 'common', q: 'gmail' },
  { what: 'rare', q: 'xenia' },
  { what: 'absent', q: 'qqxyzzy' },
  { what: 'one letter', q: 'm' },
  { what: 'two letters', q: 'jo' },
]

/** Terms of every frequency that there is among these people. */
async function termsOf({ db }: Lab, contacts: number): Promise<Term[]> {
  const [someone] = await db.query<{ email: string }>(sql`
    select email from contacts where account_id = 1 order by id offset ${Math.floor(contacts / 3)} limit 1`)
  return [
    { what: 'whole address', q: someone!.email },
    { what: 'rare: three syllables', q: 'lunmernor' },
    { what: 'rare: a name and a number', q: `${someone!.email.split('@')[0]!.slice(0, -3)}` },
    { what: 'two syllables', q: 'lunmer' },
    { what: 'a rare last name', q: 'singh' },
    { what: 'a rare first name', q: 'xenia' },
    { what: 'common: last name', q: 'smith' },
    { what: 'common: provider', q: 'gmail' },
    { what: 'common: half of all', q: '.com' },
    { what: 'absent', q: 'qqxyzzy' },
    { what: 'absent, of common parts', q: 'gmail@' },
    { what: 'no trigram at all', q: '##/' },
    { what: 'one letter, common', q: 'm' },
    { what: 'one letter, rare', q: 'q' },
    { what: 'one letter, absent', q: 'ø' },
    { what: 'two letters, common', q: 'jo' },
    { what: 'two letters, rare', q: 'xe' },
    { what: 'two letters, absent', q: 'qx' },
  ]
}

async function searches(when: string, { ask }: Asker, terms: readonly Term[]): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const { what, q } of terms) {
    const query = `q=${encodeURIComponent(q)}`
    const { total, total_is_capped: isCapped } = await ask(query)
    const hits = `${total.toLocaleString('en')}${isCapped ? '+' : ''} ${total === 1 ? 'hit' : 'hits'}`
    figures.push(await timed(`\`q=\` ${what}, ${hits}, ${when}`, () => ask(query), SEARCH_MS))
  }
  return figures
}

async function filters({ ask }: Asker): Promise<Figure[]> {
  const { total } = await ask('company=anber ltd&plan=free')
  return [
    await timed(
      `two fields, ${total.toLocaleString('en')} hits`,
      () => ask('company=anber ltd&plan=free'),
      FILTER_MS,
      30,
    ),
    await timed('two fields, one of them common', () => ask('plan=free&age[gte]=30'), FILTER_MS, 30),
  ]
}

/** The first page, one far behind it by cursor, and other orders. */
async function pages({ ask }: Asker, contacts: number): Promise<Figure[]> {
  const perPage = 50
  const far = Math.min(10_000, Math.floor(contacts / perPage / 2))
  let cursor = (await ask(`per_page=${perPage}`)).next_cursor!
  const second = cursor
  for (let passed = perPage; passed < far * perPage; passed += 1000)
    cursor = (await ask(`per_page=1000&cursor=${cursor}`)).next_cursor!
  const first = await timed('page 1, with its total', () => ask(`per_page=${perPage}`))
  const next = await timed('page 2 by cursor', () => ask(`per_page=${perPage}&cursor=${second}`))
  const deep = await timed(`page ${far.toLocaleString('en')} by cursor`, () =>
    ask(`per_page=${perPage}&cursor=${cursor}`),
  )
  const ratio = deep.p50 / next.p50
  return [
    first,
    next,
    {
      ...deep,
      floor: `page 2: ${digits(next.p50)} ms`,
      ratio: `${digits(ratio)} ×`,
      target: 'as fast',
      met: ratio <= 1.5,
    },
    await timed('page 1, sort=-created_at', () => ask('sort=-created_at'), undefined, 10),
    await timed('page 1, sort=email', () => ask('sort=email'), undefined, 10),
    await timed('page 1, sort=last_name', () => ask('sort=last_name'), undefined, 10),
  ]
}

/** Asks again and again, one at a time; the first answers, which warm things up, are not counted. */
async function timed(
  what: string,
  ask: () => Promise<unknown>,
  targetMs?: number,
  times = ASKED,
): Promise<Figure & { p50: number }> {
  for (let nth = 0; nth < 3; nth++) await ask()
  const tookMs: number[] = []
  for (let nth = 0; nth < times; nth++) {
    const startedMs = performance.now()
    await ask()
    tookMs.push(performance.now() - startedMs)
  }
  const [p50, p95] = [quantile(tookMs, 0.5), quantile(tookMs, 0.95)]
  progress(`${what}: p50 ${digits(p50)} ms, p95 ${digits(p95)} ms`)
  const target = targetMs === undefined ? {} : { target: `p95 ≤ ${targetMs} ms`, met: p95 <= targetMs }
  return {
    what,
    measured: `p50 ${digits(p50)} ms, p95 ${digits(p95)} ms`,
    floor: '',
    ratio: '',
    target: '',
    met: undefined,
    ...target,
    p50,
  }
}
