import { Refusal } from '@rollcall/server/lib/refusal.ts'
import { type Command, Option } from 'commander'
import type { ImportOptions } from '../../sdk/src/rollcall.ts'
import { pairsOf, readJson } from '../given.ts'
import type { Surroundings } from '../surroundings.ts'
import { several } from './command.ts'

const RULES = ['trim', 'full_name', 'address', 'first_address'] as const

/** What can be said of how a file is read, when it is sent and when it is gone on with. */
export interface ReadingOptions {
  map?: string[]
  value?: string[]
  rule?: string[]
  sheet?: string
  encoding?: string
  delimiter?: string
  dateOrder?: NonNullable<ImportOptions['date_order']>
  data?: string
}

/** Adds to a command the options of how a file is read. */
export function takesReading(command: Command): Command {
  return command
    .option(
      '--map <column=target>',
      'where a column goes: a merge tag, email, tags, …; nothing leaves it out; may be repeated',
      several,
    )
    .option(
      '--value <column:from=to>',
      'what a value of a column or field stands for; nothing unsets it; may be repeated',
      several,
    )
    .option('--rule <column=rule>', `what mends a column: ${RULES.join(', ')}; may be repeated`, several)
    .option('--sheet <name>', 'of a workbook; the first one unless given')
    .option('--encoding <name>', 'utf-8, utf-16le, windows-1252, …; found by content unless given')
    .option('--delimiter <sign>', 'one sign, or tab; found by content unless given')
    .addOption(
      new Option('--date-order <order>', 'of day, month and year; found by content unless given').choices([
        'dmy',
        'mdy',
        'ymd',
      ]),
    )
    .option('--data <json>', 'more options, as the API takes them: JSON, a file (@FILE) or stdin (-)')
}

/** The same as the API takes it. Throws a Refusal for what is not written as it should be. */
export async function readingOf(given: ReadingOptions, surroundings: Surroundings): Promise<Partial<ImportOptions>> {
  const { map = [], value = [], rule = [], sheet, encoding, delimiter, dateOrder, data } = given
  return {
    ...(map.length > 0 ? { field_mapping: { ...pairsOf(map, '--map') } } : {}),
    ...(value.length > 0 ? { value_mapping: valuesOf(value) } : {}),
    ...(rule.length > 0 ? { rules: rulesOf(rule) } : {}),
    ...(sheet === undefined ? {} : { sheet }),
    ...(encoding === undefined ? {} : { encoding }),
    ...(delimiter === undefined ? {} : { delimiter }),
    ...(dateOrder === undefined ? {} : { date_order: dateOrder }),
    ...(data === undefined ? {} : ((await readJson(data, surroundings, '--data')) as Partial<ImportOptions>)),
  }
}

/** `plan:pro plan=Pro`: the column ends at the first colon, the value that stands in the file at the last sign. */
function valuesOf(given: readonly string[]): Record<string, Record<string, string | null>> {
  const values: Record<string, Record<string, string | null>> = Object.create(null)
  for (const each of given) {
    const [, column, from, to] = /^([^:]+):(.*)=([^=]*)$/s.exec(each) ?? []
    if (column === undefined)
      throw new Refusal(`--value takes COLUMN:FROM=TO, such as --value "plan:pro plan=Pro", and not ${each}`)
    const name = column.trim()
    values[name] = { ...values[name], [from!.trim()]: to!.trim() || null }
  }
  return { ...values }
}

function rulesOf(given: readonly string[]): NonNullable<ImportOptions['rules']> {
  const rules: NonNullable<ImportOptions['rules']> = Object.create(null)
  for (const [column, name] of given.map((each) => Object.entries(pairsOf([each], '--rule'))[0]!)) {
    const rule = RULES.find((known) => known === name)
    if (!rule) throw new Refusal(`--rule takes COLUMN=RULE, and ${name} is no rule: there are ${RULES.join(', ')}`)
    rules[column] = [...(rules[column] ?? []), rule]
  }
  return { ...rules }
}
