import type { ValueRules } from '../fields/coerce.ts'
import type { ImportOptions } from './options.ts'
import { DateOrder, isDate, type Order, type OrderVerdict, readDate } from './reading/date-order.ts'
import { NumberStyle, readNumber, type Style, type StyleVerdict } from './reading/number-style.ts'
import type { Cell } from './reading/table.ts'
import type { Target } from './targets.ts'

/** How a column writes dates and numbers, as far as its values have told. */
export interface ColumnStyle {
  order?: OrderVerdict
  numbers?: StyleVerdict
}

/** Something that has to be answered before a column can be read. */
export interface ColumnQuestion {
  column: string
  about: 'date_order'
  question: string
}

/**
 * How the columns of a file write their dates and numbers: learned over all rows, and read by what is assumed beforehand,
 * never row by row. When what was learned differs from what was assumed, the file is read again.
 */
export class ColumnStyles {
  readonly #given: Order | undefined
  readonly #assumed: ReadonlyMap<number, ColumnStyle>
  readonly #orders = new Map<number, DateOrder>()
  readonly #numbers = new Map<number, NumberStyle>()

  constructor(options: Pick<ImportOptions, 'date_order'>, assumed: ReadonlyMap<number, ColumnStyle>) {
    this.#given = options.date_order
    this.#assumed = assumed
  }

  /** A value of a field as our own notation has it: ISO dates, a point before decimals. What can't be read stays as it is. */
  plain(at: number, rules: ValueRules, cell: Cell): Cell {
    if (typeof cell !== 'string') return cell
    if (rules.type === 'number' || rules.type === 'integer') {
      learner(this.#numbers, at, NumberStyle).see(cell)
      const style = numbersOf(this.#assumed.get(at))
      // What our own notation has is read as the API reads it: 1e2 is a number and no integer there.
      return style === null || (style === 'point' && OUR_NUMBER.test(cell)) ? cell : (readNumber(cell, style) ?? cell)
    }
    // A field with a format of its own says itself how its dates are written.
    if (rules.type !== 'date' || (rules.format !== null && this.#given === undefined)) return cell
    return readDate(cell, this.orderOf(at, cell)) ?? cell
  }

  /** The order in which the dates of a column are read. */
  orderOf(at: number, cell: Cell): Order {
    learner(this.#orders, at, DateOrder).see(cell)
    return this.#orderBy(this.#assumed.get(at))
  }

  #orderBy(style: ColumnStyle | undefined): Order {
    if (this.#given !== undefined) return this.#given
    const order = style?.order
    return order === undefined || order === 'none' || order === 'ambiguous' || order === 'mixed' ? 'iso' : order
  }

  /** What the rows have told so far. */
  settled(): Map<number, ColumnStyle> {
    const found = new Map<number, ColumnStyle>()
    for (const [at, order] of this.#orders) found.set(at, { order: order.verdict() })
    for (const [at, style] of this.#numbers) found.set(at, { ...found.get(at), numbers: style.verdict() })
    return found
  }

  /** Whether rows were read as these styles would have them read. */
  agreesWith(found: ReadonlyMap<number, ColumnStyle>): boolean {
    return [...found].every(([at, style]) => {
      const assumed = this.#assumed.get(at)
      return this.#orderBy(style) === this.#orderBy(assumed) && numbersOf(style) === numbersOf(assumed)
    })
  }

  /** What can't be told from the rows: whose columns have dates that could be read in several ways, or in none. */
  questions(columns: readonly { name: string }[]): ColumnQuestion[] {
    if (this.#given !== undefined) return []
    return [...this.settled()].flatMap(([at, { order }]) => {
      const column = columns[at]?.name ?? ''
      const ask = 'say date_order: dmy, mdy or ymd.'
      if (order === 'ambiguous')
        return [
          {
            column,
            about: 'date_order' as const,
            question: `The dates in ${column} can be read with the day or the month first: ${ask}`,
          },
        ]
      return order === 'mixed'
        ? [
            {
              column,
              about: 'date_order' as const,
              question: `The dates in ${column} are not all in one order of day and month: ${ask}`,
            },
          ]
        : []
    })
  }
}

/** Whether dates among these cells could be read in two ways. */
export function isAmbiguous(target: Target, cells: readonly Cell[]): boolean {
  const isDates =
    target.to === 'created_at' ||
    target.to === 'consent_at' ||
    (target.to === 'field' && target.field.rules.type === 'date')
  if (!isDates && !cells.every((cell) => typeof cell === 'string' && isDate(cell))) return false
  const order = new DateOrder()
  for (const cell of cells) order.see(cell)
  return order.verdict() === 'ambiguous' || order.verdict() === 'mixed'
}

const OUR_NUMBER = /^\s*[+-]?[\d.]+(e[+-]?\d+)?\s*$/i

/** null: numbers are read as the API reads them. */
function numbersOf(style: ColumnStyle | undefined): Style | null {
  return style?.numbers === 'point' || style?.numbers === 'comma' ? style.numbers : null
}

function learner<Learner>(known: Map<number, Learner>, at: number, Made: new () => Learner): Learner {
  let found = known.get(at)
  if (!found) {
    found = new Made()
    known.set(at, found)
  }
  return found
}
