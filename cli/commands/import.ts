import { Refusal } from '@rollcall/server/lib/refusal.ts'
import { Command, Option } from 'commander'
import type { ImportOptions } from '../../sdk/src/rollcall.ts'
import type { Context } from '../context.ts'
import { type GivenFile, openFile } from '../given.ts'
import { type Act, examples, several } from './command.ts'
import { type ReadingOptions, readingOf, takesReading } from './import-options.ts'
import { watchImport } from './import-report.ts'
import { bar, Rate, size } from './progress.ts'

interface Options extends ReadingOptions {
  list?: string[]
  tag?: string[]
  dryRun?: true
  update?: true
  strict?: true
  clearEmpty?: true
  matchBy?: 'email' | 'external_id'
  state?: NonNullable<ImportOptions['state']>
  format?: NonNullable<ImportOptions['format']>
  consentSource?: string
  wait: boolean
}

/** `rollcall import FILE` */
export function importCommand(act: Act): Command {
  return takesReading(new Command('import'))
    .description('bring a file of people in: CSV, XLSX, NDJSON or JSON, also gzipped')
    .argument('<file>', 'the file; - for stdin')
    .option(
      '--list <list>',
      'a list that everyone joins, by name or id; a new name makes one; may be repeated',
      several,
    )
    .option('--tag <tag>', 'a tag that everyone gets; may be repeated', several)
    .option('--dry-run', 'only say what would be done; rollcall changes apply then does it')
    .option('--update', 'give people who are there already the values of the file')
    .option('--clear-empty', 'with --update: an empty cell unsets a value')
    .option('--strict', 'import nothing if one row is rejected')
    .addOption(
      new Option('--match-by <what>', 'what says that a row is about someone known').choices(['email', 'external_id']),
    )
    .addOption(
      new Option('--state <state>', 'of new people whose row says none').choices([
        'none',
        'pending',
        'subscribed',
        'unsubscribed',
        'bounced',
      ]),
    )
    .addOption(
      new Option('--format <format>', 'found by content unless given').choices(['csv', 'xlsx', 'ndjson', 'json']),
    )
    .option('--consent-source <text>', 'where new people gave their permission, kept as evidence')
    .option('--no-wait', 'do not wait for its end')
    .addHelpText(
      'after',
      examples(
        'rollcall import people.csv --list Newsletter',
        'rollcall import crm.xlsx --map "Email Address=email" --map "Notes=" --update --dry-run',
        'rollcall import crm.xlsx --sheet Customers --value "plan:pro plan=Pro" --rule "Email=first_address"',
        'zcat people.csv.gz | rollcall import - --list Newsletter --json',
      ),
    )
    .action((path: string, options: Options) => act((context) => bringIn(context, path, options)))
}

async function bringIn(context: Context, path: string, options: Options): Promise<void> {
  const { client, signal } = context
  const file = openFile(path, context.surroundings)
  const given = await optionsOf(context, file, options)
  context.whenInterrupted = `${path} was not sent as a whole: nothing was imported`
  const begun = await client.imports.upload(counted(context, file), given, { signal })
  if (!options.wait)
    return context.out.one(begun, [
      ['import', begun.id],
      ['phase', begun.phase],
    ])
  await watchImport(context, begun.id)
}

async function optionsOf(context: Context, file: GivenFile, options: Options): Promise<ImportOptions> {
  const { list = [], tag, dryRun, update, strict, clearEmpty, matchBy, state, format, consentSource } = options
  if (clearEmpty && !update) throw new Refusal('--clear-empty only counts with --update')
  const reading = await readingOf(options, context.surroundings)
  const lists = await listIds(context, list, dryRun === true)
  return {
    file_name: file.name,
    ...reading,
    ...(lists.length > 0 ? { list_ids: lists } : {}),
    ...(tag ? { tags: tag } : {}),
    ...(dryRun ? { dry_run: true } : {}),
    ...(update ? { update_existing: true } : {}),
    ...(strict ? { skip_invalid: false } : {}),
    ...(clearEmpty ? { clear_empty: true } : {}),
    ...(matchBy ? { match_by: matchBy } : {}),
    ...(state ? { state } : {}),
    ...(format ? { format } : {}),
    ...(consentSource ? { consent: { source: consentSource } } : {}),
  }
}

/** By name or id; what no list is called becomes one, unless it is a number. */
async function listIds({ client, out }: Context, named: readonly string[], isTrial: boolean): Promise<number[]> {
  const known = await (named.length > 0 ? client.lists.list() : [])
  const ids: number[] = []
  for (const name of named) {
    const found =
      known.find((list) => list.name.toLowerCase() === name.trim().toLowerCase()) ??
      known.find(({ id }) => String(id) === name)
    if (found) ids.push(found.id)
    else if (/^\d+$/.test(name)) throw new Refusal(`there is no list ${name}: see rollcall lists list`)
    else {
      const made = await client.lists.create({ name })
      out.note(`made the list ${made.name}${isTrial ? ', with nobody in it until this is applied' : ''}`)
      ids.push(made.id)
    }
  }
  return ids
}

/** The file as it is sent, with how far that is. */
async function* counted({ out }: Context, { size: whole, stream }: GivenFile): AsyncGenerator<Uint8Array> {
  const rate = new Rate()
  let sent = 0
  for await (const chunk of stream) {
    const bytes: Uint8Array = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    yield bytes
    sent += bytes.length
    const speed = `${size(rate.at(sent))}/s`
    out.progress(
      whole === undefined
        ? `sending   ${size(sent)}, ${speed}`
        : `sending   ${bar(sent / whole)} ${size(sent)} of ${size(whole)}, ${speed}`,
    )
  }
}
