import type { Command } from 'commander'
import { rowsByNumber } from '../../sdk/src/pages.ts'
import type { Answer } from '../../sdk/src/rollcall.ts'
import { readText } from '../given.ts'
import { positive } from '../options.ts'
import { type Column, moment } from '../output.ts'
import { type Act, done, examples, first, group } from './command.ts'

const COLUMNS: readonly Column<Answer<'listSuppressions'>['data'][number]>[] = [
  ['ID', ({ id }) => id],
  ['KIND', ({ kind }) => kind],
  ['VALUE', ({ value }) => value],
  ['REASON', ({ reason }) => reason],
  ['SINCE', ({ created_at }) => moment(created_at)],
  ['UNTIL', ({ expires_at }) => expires_at],
]

interface Added {
  file?: string
  reason?: string
  expires?: string
}

/** As many as go out in one request. */
const AT_ONCE = 1000

/** `rollcall suppressions …` */
export function suppressionsCommand(act: Act): Command {
  const command = group('suppressions', 'addresses and domains that may not be mailed')
  command
    .command('list')
    .description('suppressions, the latest first')
    .option('--email <address>', 'what keeps this address from being mailed')
    .option('--reason <reason>', 'only for this reason')
    .option('--limit <count>', 'at most so many', positive, 50)
    .addHelpText('after', examples('rollcall suppressions list --email ada@example.com'))
    .action(({ email, reason, limit }: { email?: string; reason?: string; limit: number }) =>
      act(async ({ client, out, signal }) => {
        const query = { ...(email === undefined ? {} : { email }), ...(reason === undefined ? {} : { reason }) }
        const rows = rowsByNumber((page) => client.call('listSuppressions', { query: { ...query, page } }, { signal }))
        await out.rows(first(rows, limit), COLUMNS)
      }),
    )
  command
    .command('add')
    .description('forbid mail to addresses, their SHA-256, domains, or *.domain for all below it')
    .argument('[entries...]')
    .option('--file <file>', 'more entries, one a line; - for stdin')
    .option('--reason <reason>', 'manual unless given')
    .option('--expires <moment>', 'until then; for good unless given')
    .addHelpText(
      'after',
      examples(
        'rollcall suppressions add spam@example.com *.example.net',
        'rollcall suppressions add --file complaints.txt --reason complaint',
      ),
    )
    .action((entries: string[], options: Added) =>
      act(async (context) => {
        const { file, reason, expires } = options
        const lines = file === undefined ? '' : await readText(file === '-' ? '-' : `@${file}`, context.surroundings)
        const all = [
          ...entries,
          ...lines
            .split(/\r?\n/)
            .map((line) => line.trim())
            .filter(Boolean),
        ]
        const sums = { added: 0, known: 0, rejected: 0 }
        for (let at = 0; at < Math.max(1, all.length); at += AT_ONCE) {
          const body = {
            entries: all.slice(at, at + AT_ONCE),
            ...(reason === undefined ? {} : { reason }),
            ...(expires === undefined ? {} : { expires_at: expires }),
          }
          const { added, known, rejected } = await context.client.call('addSuppressions', { body })
          sums.added += added
          sums.known += known
          sums.rejected += rejected
        }
        await done(context, sums, `${sums.added} added, ${sums.known} known, ${sums.rejected} rejected`)
      }),
    )
  command
    .command('remove')
    .description('take a suppression away; who has left by their own act stays as they are')
    .argument('<id>', 'as suppressions list shows it', positive)
    .addHelpText('after', examples('rollcall suppressions remove 7'))
    .action((id: number) =>
      act(async (context) => {
        await context.client.call('deleteSuppression', { path: { id } })
        await done(context, { removed: id }, `Removed suppression ${id}.`)
      }),
    )
  return command
}
