import type { Messages } from '../../lib/app-error.ts'
import { copyOf } from '../../lib/text.ts'

/** Rows that were rejected for the same reason. */
export interface Cause {
  /** The attribute or merge tag that the message is about. */
  field: string
  /** The file's column, where it is about one. */
  column: string | null
  message: string
  count: number
  /** The first line of which it holds. */
  line: number
  /** What stood there, the most frequent first: only of columns whose values are words of a kind, as they may be mended by a mapping. */
  values: { value: string; count: number }[]
}

const MOST_CAUSES = 200
const MOST_VALUES = 1000
const TOLD_VALUES = 20

/** Groups faults by cause while rows are read, in memory that does not grow with them. */
export class Causes {
  readonly #causes = new Map<string, { cause: Cause; values: Map<string, number> }>()

  /** @param isWord Whether the value may be told: not those of columns that hold what is said of a person. */
  add(
    errors: Messages,
    line: number,
    columnOf: (field: string) => { column: string | null; value: string; isWord: boolean },
  ): void {
    for (const [field, messages] of Object.entries(errors)) {
      const { column, value, isWord } = columnOf(field)
      const whole = messages.join(': ')
      const full = this.#causes.size >= MOST_CAUSES
      const message = full && !this.#causes.has(keyOf(field, whole)) ? messages[0]! : whole
      const key = full && !this.#causes.has(keyOf(field, message)) ? 'more' : keyOf(field, message)
      const known = this.#causes.get(key) ?? {
        cause: { field, column, message: key === 'more' ? 'other reasons' : message, count: 0, line, values: [] },
        values: new Map<string, number>(),
      }
      this.#causes.set(key, known)
      known.cause.count++
      if (!isWord) continue
      const times = known.values.get(value)
      if (times !== undefined) known.values.set(value, times + 1)
      else if (known.values.size < MOST_VALUES) known.values.set(copyOf(value), 1)
    }
  }

  /** The most frequent first. */
  report(): Cause[] {
    return [...this.#causes.values()]
      .map(({ cause, values }) => ({
        ...cause,
        values: [...values]
          .sort((a, b) => b[1] - a[1])
          .slice(0, TOLD_VALUES)
          .map(([value, count]) => ({ value, count })),
      }))
      .sort((a, b) => b.count - a.count)
  }
}

function keyOf(field: string, message: string): string {
  return `${field}\u0000${message}`
}
