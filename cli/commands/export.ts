import { randomUUID } from 'node:crypto'
import { createWriteStream, statSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { dirname, extname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'
import { setTimeout as sleep } from 'node:timers/promises'
import { Refusal } from '@rollcall/server/lib/refusal.ts'
import { Command, Option } from 'commander'
import type { Body, Export } from '../../sdk/src/rollcall.ts'
import type { Context } from '../context.ts'
import { readJson } from '../given.ts'
import { number } from '../output.ts'
import { type Act, examples } from './command.ts'
import { listNamed } from './named.ts'
import { bar, Rate, size } from './progress.ts'

const FORMATS = ['csv', 'csv.gz', 'xlsx', 'ndjson'] as const
type Format = (typeof FORMATS)[number]

interface Options {
  format?: Format
  list?: string
  tag?: string
  state?: string
  query?: string
  criteria?: string
  fields?: string
  sendable?: true
}

const LONGEST_POLL_MS = 1000

/** `rollcall export [FILE]` */
export function exportCommand(act: Act): Command {
  return new Command('export')
    .description('write people into a file, or to stdout')
    .argument('[file]', 'the file; - or nothing for stdout')
    .addOption(new Option('--format <format>', 'by the file name unless given; else csv').choices(FORMATS))
    .option('--list <list>', 'only members of this list, by name or id')
    .option('--tag <tag>', 'only who has this tag')
    .option('--state <state>', 'none, pending, subscribed, unsubscribed or bounced')
    .option('--query <words>', 'a part of an address or of a name')
    .option('--criteria <json>', 'criteria as JSON, from a file (@FILE) or stdin (-)')
    .option('--sendable', 'only who may be mailed now')
    .option('--fields <columns>', 'the columns in their order, separated by commas')
    .addHelpText(
      'after',
      examples(
        'rollcall export customers.xlsx --tag customer',
        'rollcall export --list Newsletter --sendable --fields email,first_name > newsletter.csv',
        'rollcall export --format ndjson | jq .email',
      ),
    )
    .action((file: string | undefined, options: Options) => act((context) => write(context, file ?? '-', options)))
}

async function write(context: Context, path: string, options: Options): Promise<void> {
  const { client, out, signal } = context
  const format = options.format ?? formatOf(path)
  const toTerminal = path === '-' && out.isTerminal
  if (toTerminal && (format === 'xlsx' || format === 'csv.gz'))
    throw new Refusal(`${format} is nothing to be read on a terminal: name a file, or send it on with >`)
  if (path !== '-') requireDirectory(path)
  const begun = await client.exports.create(await requestOf(context, format, options), { signal })
  context.whenInterrupted = 'interrupted: no file was written'
  try {
    const ended = await wait(context, begun.id)
    const response = await client.call('downloadExport', { path: { export_id: begun.id } }, { signal })
    out.clear()
    if (path === '-') return await out.file(response.body)
    await save(response.body, path, signal)
    const told = { file: path, contacts: ended.progress.written, bytes: ended.bytes, export_id: begun.id }
    if (out.isJson) await out.json(told)
    else await out.say(`Wrote ${number(told.contacts)} contacts into ${path} (${size(told.bytes ?? 0)}).`)
  } catch (error) {
    if (signal.aborted) await client.exports.delete(begun.id).catch(() => {}) // nobody waits for it any more
    throw error
  }
}

function formatOf(path: string): Format {
  const [, extension] = /\.(csv\.gz|csv|xlsx|ndjson)$/i.exec(path) ?? []
  if (extension) return extension.toLowerCase() as Format
  if (path === '-' || extname(path) === '') return 'csv'
  throw new Refusal(`${extname(path)} is no format of an export: say --format ${FORMATS.join(', ')}`)
}

async function requestOf(context: Context, format: Format, options: Options): Promise<Body<'createExport'>> {
  const { list, tag, state, query, criteria, fields, sendable } = options
  return {
    format,
    ...(list === undefined ? {} : { list_id: (await listNamed(context.client, list)).id }),
    ...(tag === undefined ? {} : { tag }),
    ...(state === undefined ? {} : { state }),
    ...(query === undefined ? {} : { q: query }),
    ...(criteria === undefined ? {} : { criteria: await readJson(criteria, context.surroundings, 'criteria') }),
    ...(fields === undefined ? {} : { fields: fields.split(',').map((name) => name.trim()) }),
    ...(sendable ? { sendable: true } : {}),
  }
}

async function wait({ client, out, signal }: Context, id: number): Promise<Export> {
  const rate = new Rate()
  for (let pause = 100; ; pause = Math.min(LONGEST_POLL_MS, pause * 1.5)) {
    const state = await client.exports.get(id, { signal })
    if (state.status === 'finished') {
      if (state.url === null) throw new Refusal(state.error ?? `the export is ${state.phase}`)
      return state
    }
    const { written, total } = state.progress
    out.progress(
      `writing   ${total === null ? '' : bar(written / total)} ${number(written)} contacts, ${number(Math.round(rate.at(written)))}/s`,
    )
    await sleep(pause, undefined, { signal }).catch(() => signal.throwIfAborted())
  }
}

/** Throws a Refusal before anything is made that could not be written. */
function requireDirectory(path: string): void {
  const found = statSync(dirname(path), { throwIfNoEntry: false })
  if (!found?.isDirectory()) throw new Refusal(`the directory of ${path} is not there`)
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory())
    throw new Refusal(`${path} is a directory, and a file is needed`)
}

/** Writes a file whole or not at all. */
async function save(body: Response['body'], path: string, signal: AbortSignal): Promise<void> {
  const beside = join(dirname(path), `.${randomUUID()}.part`)
  try {
    await pipeline(Readable.fromWeb(body as ReadableStream<Uint8Array>), createWriteStream(beside, { flags: 'wx' }), {
      signal,
    })
    await rename(beside, path)
  } catch (error) {
    await rm(beside, { force: true })
    throw error
  }
}
