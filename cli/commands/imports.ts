import type { Command } from 'commander'
import type { Import } from '../../sdk/src/rollcall.ts'
import { positive } from '../options.ts'
import { type Column, moment, number } from '../output.ts'
import { type Act, examples, first, group } from './command.ts'
import { type ReadingOptions, readingOf, takesReading } from './import-options.ts'
import { report, watchImport } from './import-report.ts'

const IMPORT_COLUMNS: readonly Column<Import>[] = [
  ['ID', ({ id }) => id],
  ['FILE', ({ file }) => file.name],
  ['PHASE', ({ phase }) => phase],
  ['ROWS', ({ rows_read }) => number(rows_read)],
  ['CREATED', (each) => number(each.created_contacts_count)],
  ['UPDATED', (each) => number(each.updated_contacts_count)],
  ['REJECTED', (each) => number(each.rejected_rows_count)],
  ['BEGUN', ({ created_at }) => moment(created_at)],
]

/** `rollcall imports …` */
export function importsCommand(act: Act): Command {
  const command = group('imports', 'imports there are: watch, end or apply them')
  command
    .command('list')
    .description('imports, the latest first')
    .option('--limit <count>', 'at most so many', positive, 20)
    .addHelpText('after', examples('rollcall imports list'))
    .action(({ limit }: { limit: number }) =>
      act(async ({ client, out, signal }) => out.rows(first(client.imports.all({ signal }), limit), IMPORT_COLUMNS)),
    )
  const one = (name: string, description: string) =>
    command.command(name).description(description).argument('<id>', 'as imports list shows it', positive)
  one('get', 'one import, and what became of its rows')
    .addHelpText('after', examples('rollcall imports get 12'))
    .action((id: number) => act(async (context) => report(context, await context.client.imports.get(id))))
  one('watch', 'follow an import to its end')
    .addHelpText('after', examples('rollcall imports watch 12'))
    .action((id: number) => act((context) => watchImport(context, id)))
  one('cancel', 'end an import where it is; what was merged stays')
    .addHelpText('after', examples('rollcall imports cancel 12'))
    .action((id: number) =>
      act(async (context) => {
        await context.client.imports.cancel(id)
        await report(context, await context.client.imports.get(id))
      }),
    )
  takesReading(one('apply', 'go on with an import that waits or has failed, or was tried with --dry-run'))
    .option('--dry-run', 'try it again: only say what would be done')
    .option('--skip-invalid', 'leave rejected rows out of an import that was to be --strict')
    .addHelpText(
      'after',
      examples(
        'rollcall imports apply 12 --date-order dmy',
        'rollcall imports apply 12 --value "plan:pro plan=Pro" --rule "Email=address" --dry-run',
      ),
    )
    .action((id: number, options: ReadingOptions & { dryRun?: true; skipInvalid?: true }) =>
      act(async (context) => {
        await context.client.imports.apply(id, {
          ...(await readingOf(options, context.surroundings)),
          ...(options.dryRun ? { dry_run: true } : {}),
          ...(options.skipInvalid ? { skip_invalid: true } : {}),
        })
        await watchImport(context, id)
      }),
    )
  one('rejected', 'the rejected rows as CSV: mend them, and import that file')
    .addHelpText('after', examples('rollcall imports rejected 12 > to-mend.csv'))
    .action((id: number) =>
      act(async ({ client, out, signal }) => {
        const rows = await client.imports.rejectedRows(id, { signal })
        await out.file(rows.body)
      }),
    )
  return command
}
