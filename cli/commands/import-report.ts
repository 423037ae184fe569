import { Refusal } from '@rollcall/server/lib/refusal.ts'
import { type Import, ImportFailedError } from '../../sdk/src/rollcall.ts'
import type { Context } from '../context.ts'
import { number } from '../output.ts'
import { bar, Rate } from './progress.ts'

/** Shows how far an import is until it ends, and then what became of its rows. Throws a Refusal when it has failed. */
export async function watchImport(context: Context, id: number): Promise<void> {
  const { client, out, signal } = context
  context.whenInterrupted = `import ${id} goes on: watch it with "rollcall imports watch ${id}", end it with "rollcall imports cancel ${id}"`
  const [reading, merging] = [new Rate(), new Rate()]
  for await (const state of client.imports.follow(id, { signal })) out.progress(progressLine(state, reading, merging))
  signal.throwIfAborted()
  // A stream that a proxy has cut off was no end.
  const ended: Import = await client.imports.wait(id, { signal }).catch((error: unknown) => {
    if (error instanceof ImportFailedError) return client.imports.get(id, { signal })
    throw error
  })
  out.clear()
  await report(context, ended)
}

function progressLine({ phase, progress }: Import, reading: Rate, merging: Rate): string {
  if (phase === 'merging') {
    const { rows_merged, rows_to_merge } = progress
    return `merging   ${bar(rows_merged / rows_to_merge)} ${number(rows_merged)} of ${number(rows_to_merge)} rows, ${perSecond(merging.at(rows_merged))}`
  }
  const { rows_read, bytes_read, bytes_total } = progress
  const rate = perSecond(reading.at(rows_read))
  return `${phase.padEnd(10)}${bar(bytes_total === 0 ? 0 : bytes_read / bytes_total)} ${number(rows_read)} rows, ${rate}`
}

function perSecond(rate: number): string {
  return `${number(Math.round(rate))}/s`
}

/** What became of an import. Throws a Refusal when it has failed, or asks something. */
export async function report(context: Context, ended: Import): Promise<void> {
  const { out } = context
  const { id, phase, problem, options } = ended
  if (out.isJson) await out.json(ended)
  else {
    const seconds = ended.finished_at
      ? (Date.parse(ended.finished_at) - Date.parse(ended.created_at)) / 1000
      : undefined
    const took = seconds
      ? ` after ${seconds.toFixed(1)} s, ${number(Math.round(ended.rows_read / seconds))} rows/s`
      : ''
    await out.say(`Import ${id} of ${ended.file.name ?? 'contacts'} is ${phase}${took}`)
    for (const line of summaryLines(ended)) await out.say(line)
    if (ended.opted_out_contacts_count > 0)
      await out.say(`  ${number(ended.opted_out_contacts_count)} have left a list themselves, and stay out of it`)
    if (ended.kept_unsubscribed_contacts_count > 0)
      await out.say(`  ${number(ended.kept_unsubscribed_contacts_count)} have unsubscribed, and stay so`)
    for (const { field, column, message, count, line } of ended.errors)
      await out.say(`  rejected: ${number(count)} × ${column ?? field} ${message} (line ${line} is the first)`)
    for (const { kind, column, count, line, suggestion } of ended.warnings) {
      const such = suggestion === undefined ? '' : `, such as ${suggestion}`
      await out.say(
        `  look at: ${number(count)} × ${kind.replaceAll('_', ' ')} in ${column}${such} (line ${line} is the first)`,
      )
    }
    for (const line of columnLines(ended)) await out.say(line)
    if (ended.rejected_rows_count > 0) {
      await out.say(`  the rejected rows: rollcall imports rejected ${id}`)
      if (phase === 'ready' || phase === 'failed')
        await out.say(`  to mend a cause for the whole file: rollcall imports apply ${id} --rule … --value … --dry-run`)
    }
    if (phase === 'ready' && problem === null && options.dry_run)
      await out.say(`Nothing has changed yet. See rollcall changes diff ${id}; rollcall changes apply ${id} does it.`)
    if (phase === 'finished') await out.say(`To take it back: rollcall changes revert ${id}`)
  }
  if (phase === 'failed') throw new Refusal(problem ?? 'the import has failed')
  if (phase === 'ready' && problem !== null) throw new Refusal(`${problem} Then: rollcall imports apply ${id}`)
}

const WHY_LEFT_OUT: Readonly<Record<string, string>> = {
  asked: 'as asked',
  taken: 'another column goes there',
  no_field: 'no such field',
  empty: 'nothing in it',
  not_settable: 'can not be set',
}

/** What was read, and where its columns go: all that the file itself does not say. */
function columnLines({ columns, detected }: Import): string[] {
  const { sheet, sheets } = (detected ?? {}) as { sheet?: string | null; sheets?: string[] | null }
  const others = (sheets ?? []).filter((name) => name !== sheet)
  const all = columns ?? []
  const arrow = ({ name, goes_to }: (typeof all)[number]) => `${name} → ${goes_to}`
  const groups: [string, string[]][] = [
    ['columns', all.filter(({ goes_to, sure }) => goes_to !== null && sure !== 'new').map(arrow)],
    ['new fields', all.filter(({ goes_to, sure }) => goes_to !== null && sure === 'new').map(({ name }) => name)],
    [
      'left out',
      all
        .filter(({ goes_to }) => goes_to === null)
        .map(({ name, because = '' }) => `${name} (${WHY_LEFT_OUT[because] ?? because})`),
    ],
    [`read is the sheet ${sheet}; others, for --sheet`, others],
  ]
  return groups.filter(([, names]) => names.length > 0).map(([what, names]) => `  ${what}: ${names.join(', ')}`)
}

/** What became of each row, as the API counts it. */
export const OUTCOMES = [
  ['created_contacts_count', 'created'],
  ['updated_contacts_count', 'updated'],
  ['unchanged_contacts_count', 'unchanged'],
  ['duplicate_rows_count', 'earlier rows of someone who comes again'],
  ['rejected_rows_count', 'rejected'],
  ['suppressed_contacts_count', 'erased, who do not come back'],
  ['contacts_over_limit_count', 'over the limit'],
  ['not_applied_rows_count', 'not applied'],
] as const

/** The summary of an import: every row read stands in exactly one line. */
export function summaryLines(ended: Import): string[] {
  const shown = OUTCOMES.filter(([name]) => ended[name] > 0 || name === 'created_contacts_count')
  const width = number(ended.rows_read).length
  const lines = shown.map(([name, text]) => `  ${number(ended[name]).padStart(width)}  ${text}`)
  const sum = OUTCOMES.reduce((total, [name]) => total + ended[name], 0)
  const differs = sum === ended.rows_read ? '' : `, which is not the sum of ${number(sum)}`
  return [...lines, `  ${'─'.repeat(width)}`, `  ${number(ended.rows_read)}  rows read${differs}`]
}
