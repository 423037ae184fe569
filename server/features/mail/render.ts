import { Context, Liquid, type Template as Parsed, Tokenizer, TokenKind } from 'liquidjs'
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

/** Words times characters: about 0.2 s. */
const MOST_ANALYSED = 50_000_000

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

/**
 * Looks at the clock with each value that is read as well. The library does so between tags alone, and one tag can have filters
 * that evaluate an expression for each item of a list: 80 kB of such a template kept the process busy for 14 s, and more for minutes.
 */
class TimedContext extends Context {
  override readProperty(...named: Parameters<Context['readProperty']>): ReturnType<Context['readProperty']> {
    this.renderLimit.check(performance.now())
    return super.readProperty(...named)
  }

  override push(scope: object): number {
    this.renderLimit.check(performance.now())
    return super.push(scope)
  }

  override spawn(scope: object = {}): Context {
    const { sync, globals, strictVariables, ownPropertyOnly, renderLimit, memoryLimit, liquid } = this
    const options = { sync, globals, strictVariables, ownPropertyOnly }
    return new TimedContext(scope, this.opts, options, { renderLimit, memoryLimit, liquid })
  }
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
      const engine = ENGINES[part]
      const parsed = engine.parse(source[part])
      const context = new TimedContext(variables, engine.options, { sync: true }, { liquid: engine }) // its clock runs from now on
      const made = String(engine.renderSync(parsed, context))
      if (made.length > LONGEST_RESULT) tell(faults, part, `becomes too long (maximum is ${LONGEST_RESULT} characters)`)
      else result[part] = made
    } catch (error) {
      tell(faults, part, faultOf(error))
    }
  }
  if (Object.keys(faults).length > 0) throw invalid(faults)
  return result
}

/**
 * The variables that a text names, by the library's analysis; none where that would take too long. What stands between tags is
 * left out of it, as it counts the lines before each variable anew: 40,000 of them in 200 kB took 36 s.
 */
function namedIn(engine: Liquid, text: string) {
  const tokens = new Tokenizer(text).readTopLevelTokens(engine.options)
  const tags = tokens.flatMap((token) => (token.kind === TokenKind.HTML ? [] : [token.getText()])).join('')
  const words = tags.match(/[a-z_][\w-]*/gi)?.length ?? 0
  return words * tags.length > MOST_ANALYSED ? [] : engine.globalVariableSegmentsSync(engine.parse(tags) as Parsed[])
}

/**
 * Variables that a template names and nobody gives, such as `contact.nickname`, each once. Not told of a template with about a
 * thousand of them and more.
 */
export function undefinedIn(source: Source, variables: Variables): string[] {
  const named = PARTS.flatMap((part) => namedIn(ENGINES[part], source[part]))
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
