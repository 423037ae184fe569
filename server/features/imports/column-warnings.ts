import { suggestDomain } from '../../lib/mail-domains.ts'
import { copyOf } from '../../lib/text.ts'
import { LostDigits } from './reading/lost-digits.ts'
import type { TableRow } from './reading/table.ts'
import type { Target } from './targets.ts'
import type { Warning } from './warnings.ts'

/** Domains remembered: most files have few, and each is compared with all that are known. */
const MOST_DOMAINS = 20_000
const MOST_WARNINGS = 50

/** Watches a file's columns for what looks wrong and is taken all the same. */
export class ColumnWarnings {
  readonly #digits = new Map<number, { column: string; lost: LostDigits }>()
  readonly #domains = new Map<string, { meant: string | null; column: string; count: number; line: number }>()

  see(columns: readonly { name: string; target: Target }[], { cells, line }: TableRow): void {
    for (let at = 0; at < columns.length; at++) {
      const { name, target } = columns[at]!
      const cell = cells[at] ?? null
      if (cell === null || cell === '') continue
      if (target.to === 'email') this.#address(String(cell), name, line)
      else if (target.to === 'external_id' || (target.to === 'field' && target.field.rules.type === 'text')) {
        let watched = this.#digits.get(at)
        if (!watched) {
          watched = { column: name, lost: new LostDigits() }
          this.#digits.set(at, watched)
        }
        watched.lost.see(cell, line)
      }
    }
  }

  #address(text: string, column: string, line: number): void {
    const domain = text
      .slice(text.lastIndexOf('@') + 1)
      .trim()
      .toLowerCase()
    const known = this.#domains.get(domain)
    if (known) {
      known.count++
      return
    }
    if (this.#domains.size < MOST_DOMAINS)
      this.#domains.set(copyOf(domain), { meant: suggestDomain(domain), column, count: 1, line })
  }

  /** Those of misspelt domains first, the most frequent before the others. */
  found(): Warning[] {
    const domains = [...this.#domains]
      .flatMap(([domain, { meant, column, count, line }]): Warning[] =>
        meant === null ? [] : [{ kind: 'misspelt_domain', column, count, line, suggestion: `${domain} → ${meant}` }],
      )
      .sort((a, b) => b.count - a.count)
    const digits = [...this.#digits.values()].flatMap(({ column, lost }) =>
      lost.warnings().map(
        ({ kind, rows, lines }): Warning => ({
          kind: kind === 'leading_zeros' ? 'leading_zeros_dropped' : 'digits_lost',
          column,
          count: rows,
          line: lines[0]!,
        }),
      ),
    )
    return [...domains, ...digits].slice(0, MOST_WARNINGS)
  }
}
