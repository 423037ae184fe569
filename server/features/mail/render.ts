import { Liquid, type Template as Parsed } from 'liquidjs'
import { invalid, type Messages, tell } from '../../lib/app-error.ts'

/** The three texts of a template, in Liquid. */
export interface Source {
  subject: string
  html: string
  text: string
}
export const PARTS = ['subject', 'html', 'text'] as const
type Part = (typeof PARTS)[number]

export type Variables = Readonly<Record<string, unknown>>

/** Longer results are no mail that anyone reads, and some servers refuse them. */
const LONGEST_RESULT = 1_000_000

const BOUNDS = {
  ownPropertyOnly: true,
  strictFilters: true,
  templates: {}, // so that `include` and `render` find nothing, rather than files of this machine
  parseLimit: 200_000, // characters
  renderLimit: 300, // ms
  memoryLimit: 2_000_000, // objects and characters that filters and ranges make
}
const ENGINES: Record<Part, Liquid> = {
  subject: new Liquid(BOUNDS),
  html: new Liquid({ ...BOUNDS, outputEscape: 'escape' }),
  text: new Liquid(BOUNDS),
}

/** Throws `invalid` that names the part and the line, for a template that can not be read. */
export function checkSource(source: Source): void {
  const faults: Messages = {}
  for (const part of PARTS) {
    try {
      ENGINES[part].parse(source[part])
    } catch (error) {
      tell(faults, part, faultOf(error))
    }
  }
  if (Object.keys(faults).length > 0) throw invalid(faults)
}

/** The mail that a template makes. Values are escaped in its HTML. Throws `invalid` for what can not be made in its bounds. */
export function render(source: Source, variables: Variables): Source {
  const faults: Messages = {}
  const result = { subject: '', html: '', text: '' }
  for (const part of PARTS) {
    try {
      const made = String(ENGINES[part].renderSync(ENGINES[part].parse(source[part]), variables))
      if (made.length > LONGEST_RESULT) tell(faults, part, `becomes too long (maximum is ${LONGEST_RESULT} characters)`)
      else result[part] = made
    } catch (error) {
      tell(faults, part, faultOf(error))
    }
  }
  if (Object.keys(faults).length > 0) throw invalid(faults)
  return result
}

/** Variables that a template names and nobody gives, such as `contact.nickname`, each once. */
export function undefinedIn(source: Source, variables: Variables): string[] {
  const named = PARTS.flatMap((part) => {
    const engine = ENGINES[part]
    return engine.globalVariableSegmentsSync(engine.parse(source[part]) as Parsed[])
  })
  const missing = named.filter((path) => {
    let value: unknown = variables
    for (const segment of path) {
      if (typeof segment !== 'string' && typeof segment !== 'number') return false // named by another variable
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, segment)) return true
      value = (value as Record<string, unknown>)[segment]
    }
    return false
  })
  return [...new Set(missing.map((path) => path.join('.')))]
}

/** What is wrong and in which line, in the parser's words without the source that it quotes. */
function faultOf(error: unknown): string {
  const { message } = error as Error
  const line = /line:(\d+)/.exec(message)?.[1]
  const what = (message.split('\n')[0] ?? '').replace(/, (file|line|col):.*$/, '').slice(0, 200)
  return line === undefined ? what : `line ${line}: ${what}`
}
