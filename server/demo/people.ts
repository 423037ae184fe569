/** The people of the demonstration: the same each time but for their dates, which are counted back from today. */

export const PEOPLE = 5_000

export const DAY_MS = 86_400_000
export const HOUR_MS = 3_600_000
/** For how long the imagined company has been collecting addresses. */
const DAYS = 420

const words = (text: string) => text.split(' ')

const FIRST_NAMES = words(
  'Emma Liam Sofia Noah Mia Lucas Anna Ben Clara Leo Zoë José Chloé Björn İpek Łukasz Aisha Omar Priya Arjun Yuki Haruto Mei ' +
    'Chen Fatima Samuel Grace Kwame Ingrid Lars Elena Marco Giulia Pedro Inês Tomás Nadia Viktor Olga Dmitri Siobhán Conor',
)
const LAST_NAMES = words(
  'Schmidt Müller Weber García López Rossi Ferrari Dubois Moreau Silva Santos Novák Kowalski Nowak Andersson Nielsen Virtanen ' +
    'Yılmaz Khan Patel Singh Tanaka Sato Wang Nguyen Kim Smith Johnson Brown Taylor O’Brien Murphy Okafor Mensah Petrov Horvat',
)
const COMPANIES = words(
  'Lumen Harbour Northwind Cobalt Juniper Meridian Saffron Tidal Orchard Beacon Granite Willow Quartz Ember Atlas Fable',
)
const FORMS = words('GmbH Ltd Inc SA AB Studio Labs Group')
const CITIES = words(
  'Berlin Lisboa Kraków Göteborg Toronto Nairobi Osaka Dublin Zürich Lyon Bologna Sevilla Praha Helsinki Austin Pune',
)
const DOMAINS = words('example.com example.org example.net')

/** Files that were brought in: when, in days before today, by how many people, and what is said of their permission. */
export const FILES = [
  { name: 'customers-of-the-old-shop.csv', daysAgo: 396, people: 900, source: 'Account of the old shop' },
  { name: 'webinar-guests.csv', daysAgo: 75, people: 420, source: 'Registration for the webinar' },
  { name: 'trade-fair.csv', daysAgo: 19, people: 380, source: 'Cards filled at the trade fair' },
] as const

/** When a file was brought in. */
export const importedAt = (today: number, file: number) => today - FILES[file]!.daysAgo * DAY_MS + 10 * HOUR_MS

export const PLANS = ['Free', 'Starter', 'Team', 'Enterprise']

export interface Person {
  external_id: string
  email: string
  first_name: string
  last_name: string
  company: string
  plan: string
  seats: number
  city: string
  birthday: string
  /** By a form, by a program, or by one of FILES. */
  way: 'form' | 'api' | number
  /** Milliseconds since the epoch. */
  joined: number
  tags: string[]
  lists: string[]
  /** How much they care, 0 to 1: who opens much also clicks and comes back. */
  interest: number
}

/** @param today Milliseconds since the epoch, of the beginning of the day that dates are counted back from. */
export function* people(today: number): Generator<Person> {
  const random = mixer(20_240_229)
  const of = <Item>(from: readonly Item[]) => from[Math.floor(random() ** 1.6 * from.length)]!
  for (let n = 1; n <= PEOPLE; n++) {
    const [first, last] = [of(FIRST_NAMES), of(LAST_NAMES)]
    const plan = random() < 0.62 ? 'Free' : of(PLANS.slice(1))
    const interest = random()
    const way = wayOf(n, random())
    // More came lately than long ago, and most of them by day.
    const since = Math.floor(random() ** 1.4 * DAYS) + 1
    const hour = 6 + (random() + random() + random()) * 5.5
    const joined =
      typeof way === 'number' ? importedAt(today, way) : today - since * DAY_MS + Math.floor(hour * HOUR_MS)
    const lists = ['Newsletter']
    if (random() < 0.4) lists.push('Product updates')
    if (random() < 0.06) lists.push('Beta testers')
    const tags = [plan === 'Free' ? 'lead' : 'customer']
    if (plan === 'Enterprise' && random() < 0.4) tags.push('vip')
    if (random() < 0.12) tags.push('webinar')
    yield {
      external_id: `demo-${String(n).padStart(5, '0')}`,
      email: `${plain(first)}.${plain(last)}${n}@${of(DOMAINS)}`,
      first_name: first,
      last_name: last,
      company: random() < 0.7 ? `${of(COMPANIES)} ${of(FORMS)}` : '',
      plan,
      seats: plan === 'Free' ? 1 : Math.ceil(random() ** 3 * (plan === 'Enterprise' ? 400 : 40)) + 1,
      city: of(CITIES),
      birthday: new Date(
        Date.UTC(1950 + Math.floor(random() * 55), Math.floor(random() * 12), 1 + Math.floor(random() * 28)),
      )
        .toISOString()
        .slice(0, 10),
      way,
      joined,
      tags,
      lists,
      interest,
    }
  }
}

/** The first ones came by files, in the order of these; of the others somewhat more by the form than by a program. */
function wayOf(n: number, luck: number): Person['way'] {
  let upTo = 0
  for (const [file, { people: count }] of FILES.entries()) {
    upTo += count
    if (n <= upTo) return file
  }
  return luck < 0.58 ? 'form' : 'api'
}

/** Letters that everyone can type. */
function plain(name: string): string {
  const letters: Record<string, string> = { ł: 'l', ø: 'o', ı: 'i', ß: 'ss' }
  return name
    .toLowerCase()
    .replace(/[łøıß]/g, (letter) => letters[letter]!)
    .normalize('NFD')
    .replace(/[^a-z]/g, '')
}

/** Mulberry32: numbers in [0, 1) that depend on the seed alone. */
export function mixer(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
