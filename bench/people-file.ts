import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { DOMAINS, FIRST_NAMES, LAST_NAMES, SYLLABLES } from './dataset.ts'

const PLANS = ['free', 'free', 'free', 'starter', 'team', 'enterprise']
const CITIES = ['Berlin', 'Lisboa', 'Kraków', 'Göteborg', 'San José', 'Oslo', 'Hamburg', 'Toronto', 'Nairobi', 'Osaka']
const TAGS = ['customer', 'lead', 'trial', 'newsletter', 'vip', 'partner']

/** Names of the nine columns. */
export const COLUMNS = ['email', 'first_name', 'last_name', 'company', 'plan', 'age', 'city', 'phone', 'tags']

/**
 * Writes a CSV of people `1…rows`, about 100 bytes each, in an order that no index would be fast with. The same numbers make
 * the same people; another `edition` gives each of them another company and age.
 */
export async function writePeople(path: string, rows: number, edition = 0): Promise<void> {
  await pipeline(Readable.from(lines(rows, edition)), createWriteStream(path))
}

function* lines(rows: number, edition: number): Generator<string> {
  yield `${COLUMNS.join(',')}\r\n`
  let text = ''
  for (let at = 1; at <= rows; at++) {
    text += line(scattered(at, rows), edition)
    if (text.length > 65_536) {
      yield text
      text = ''
    }
  }
  yield text
}

/** Each number below `rows` once, in no order. */
function scattered(at: number, rows: number): number {
  const step = 7_368_787 // a prime, which shares no factor with a round number of rows
  return Number((BigInt(at) * BigInt(step)) % BigInt(rows)) + 1
}

function line(n: number, edition: number): string {
  const random = mixer(n)
  const of = (from: readonly string[]) => from[Math.floor(random() ** 2 * from.length)]!
  const first = of(FIRST_NAMES)
  const last = random() < 0.5 ? of(LAST_NAMES) : capital(of(SYLLABLES) + of(SYLLABLES) + of(SYLLABLES))
  const domain = random() < 0.6 ? of(DOMAINS) : `${of(SYLLABLES)}${of(SYLLABLES)}.example`
  const email = `${plain(first)}.${plain(last)}${n}@${domain}`.toLowerCase()
  const company = `${capital(of(SYLLABLES) + of(SYLLABLES))}, Inc${edition === 0 ? '' : ` ${edition}`}`
  const age = 18 + ((Math.floor(random() * 60) + edition) % 70)
  const tags = random() < 0.5 ? of(TAGS) : `"${of(TAGS)},beta"`
  return `${email},${first},${last},"${company}",${of(PLANS)},${age},${of(CITIES)},+49 30 ${100_000 + Math.floor(random() * 899_999)},${tags}\r\n`
}

function capital(text: string): string {
  return text[0]!.toUpperCase() + text.slice(1)
}

function plain(text: string): string {
  return text.normalize('NFD').replace(/[^A-Za-z]/g, '')
}

/** Mulberry32: numbers in [0, 1) that depend on the seed alone. */
function mixer(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
