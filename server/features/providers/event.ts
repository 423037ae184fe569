import { normaliseEmail } from '../../lib/email.ts'
import { isObject } from '../../lib/json.ts'

/** What a mail provider can tell of a mail to one person. */
export const KINDS = [
  'sent',
  'delivered',
  'opened',
  'clicked',
  'hard_bounce',
  'soft_bounce',
  'complained',
  'unsubscribed',
] as const
export type Kind = (typeof KINDS)[number]

/** An event in the one form that all providers' are brought into. */
export interface ProviderEvent {
  kind: Kind
  /** The provider's own: the same each time it is told. */
  id: string
  /** Normalised. */
  email: string
  at: Date
  /** The mail that it is about, in the provider's words; null: not told. */
  messageId: string | null
  /** Whether a machine opened or followed a link, as far as the event itself shows it. */
  isMachine: boolean
  /** What else is told: shown with the event, and there for criteria. */
  params: Record<string, string | number | boolean>
}

/** What a body holds. Nothing here quotes an address. */
export interface Reading {
  events: ProviderEvent[]
  /** Items that say nothing of a person, or nothing that we know. */
  ignored: number
  /** Items that can not be read, and the first reasons. */
  refused: number
  problems: string[]
}

const MOST_PROBLEMS = 10
const LONGEST = 255
const LONGEST_URL = 2000
const LONGEST_ID = 500

/** Why an item is not taken: `ignored` when it is right and of no concern. */
export class NotTaken {
  readonly problem: string | null
  constructor(problem: string | null) {
    this.problem = problem
  }
}
export const ignored = new NotTaken(null)
export const refused = (problem: string) => new NotTaken(problem)

/** Reads each item by itself: what is wrong with one keeps no other out. */
export function readEach<Item>(
  items: readonly Item[],
  read: (item: Item) => ProviderEvent | NotTaken | (ProviderEvent | NotTaken)[],
): Reading {
  const reading: Reading = { events: [], ignored: 0, refused: 0, problems: [] }
  for (const [nth, item] of items.entries())
    for (const result of [read(item)].flat())
      if (!(result instanceof NotTaken)) reading.events.push(result)
      else if (result.problem === null) reading.ignored++
      else {
        reading.refused++
        if (reading.problems.length < MOST_PROBLEMS) reading.problems.push(`events.${nth}: ${result.problem}`)
      }
  return reading
}

/** A text as it can be stored, cut to what is kept; null for all else, and for an empty one. */
export function text(value: unknown, longest = LONGEST): string | null {
  if (typeof value !== 'string') return typeof value === 'number' ? String(value) : null
  const stored = value.replaceAll('\0', '').trim().slice(0, longest).toWellFormed()
  return stored === '' ? null : stored
}

/** The id that a provider gave: whole, or it would not tell events apart. */
export function idFrom(value: unknown): string | null {
  return typeof value === 'string' && value !== '' && value.length <= LONGEST_ID ? value : null
}

/** An address as it stands alone or as `Name <address>`; null when it is none. */
export function addressFrom(value: unknown): string | null {
  if (typeof value !== 'string' || value.length > 1000) return null
  const end = value.lastIndexOf('>')
  const start = value.lastIndexOf('<')
  const read = normaliseEmail(start >= 0 && end > start ? value.slice(start + 1, end) : value)
  return read.ok ? read.email : null
}

/** A moment as seconds or milliseconds since 1970 or as ISO 8601; never later than now, whatever the sender's clock says. */
export function momentFrom(value: unknown, now = Date.now()): Date | null {
  const ms =
    typeof value === 'number'
      ? value < 1e11
        ? value * 1000
        : value
      : typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value)
        ? Date.parse(value)
        : Number.NaN
  return Number.isFinite(ms) && ms > 0 ? new Date(Math.min(Math.round(ms), now)) : null
}

/** Those that are there. */
export function paramsFrom(given: Record<string, unknown>): ProviderEvent['params'] {
  const kept = Object.entries(given).map(([key, value]) => [
    key,
    typeof value === 'number' || typeof value === 'boolean'
      ? value
      : text(value, key === 'url' ? LONGEST_URL : LONGEST),
  ])
  return Object.fromEntries(kept.filter(([, value]) => value !== null))
}

/** What JSON or JSON Lines say; undefined when they are neither. */
export function parseBody(bytes: Uint8Array): unknown {
  const body = Buffer.from(bytes).toString('utf8')
  return parseJson(body) ?? parseLines(body)
}

function parseLines(body: string): unknown {
  const lines = body
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map(parseJson)
  return lines.length > 0 && lines.every((line) => line !== undefined) ? lines : undefined
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

/** The events of a body that is `{events: […]}`, an array of events, or one event; undefined when it is none of these. */
export function itemsOf(body: unknown): unknown[] | undefined {
  if (Array.isArray(body)) return body
  if (!isObject(body)) return undefined
  return Array.isArray(body.events) ? body.events : [body]
}
