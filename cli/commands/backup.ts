import { Command } from 'commander'
import type { Context } from '../context.ts'
import { type Act, examples } from './command.ts'

// The server is loaded by the command that needs it: help should come at once.
const server = () => import('@rollcall/server/main.ts')

/** `rollcall backup FILE` */
export function backupCommand(act: Act): Command {
  return new Command('backup')
    .description('write all that Rollcall holds into one file, while it runs')
    .argument('<file>', 'a new file, or - for stdout; it holds the secret, so it is readable by its owner alone')
    .option('--files', 'with the files of imports and exports, which are kept for days only')
    .addHelpText('after', BACKUP_HELP)
    .action((file: string, { files }: { files?: true }) =>
      act(async (context) => {
        const held = await (await server()).backUp(file, { withFiles: files === true })
        tell(context, file === '-', held, `Wrote ${inWords(held)}.`)
      }),
    )
}

/** `rollcall restore FILE` */
export function restoreCommand(act: Act): Command {
  return new Command('restore')
    .description('read what rollcall backup wrote into an empty database, of this machine or of DATABASE_URL')
    .argument('<file>', 'the file, or - for stdin')
    .option('--check', 'only see whether it is as it was written')
    .addHelpText('after', RESTORE_HELP)
    .action((file: string, { check }: { check?: true }) =>
      act(async (context) => {
        const { checkBackup, restore } = await server()
        const found = await (check ? checkBackup(file) : restore(file))
        const of = `${inWords(found)}, as of ${found.at.toISOString().slice(0, 19).replace('T', ' ')} UTC`
        const { keyIds, ...rest } = found
        const words = check ? `It is whole: ${of}.` : `Restored ${of}. Next: rollcall start`
        tell(context, false, { ...rest, key_ids: keyIds }, words)
      }),
    )
}

interface Held {
  tables: number
  rows: number
  jobs: number
  files: number
}

function inWords({ tables, rows, jobs, files }: Held): string {
  const count = (what: number, one: string, many = `${one}s`) =>
    `${what.toLocaleString('en')} ${what === 1 ? one : many}`
  return `${count(rows, 'row')} of ${count(tables, 'table')}, ${count(jobs, 'waiting job')}, ${count(files, 'file')}`
}

/** Beside an archive that goes to stdout, on stderr. */
function tell({ out, surroundings }: Context, isPiped: boolean, facts: object, words: string): void {
  const text = out.isJson ? `${JSON.stringify(facts, null, 2)}\n` : `${words}\n`
  void (isPiped ? surroundings.stderr : surroundings.stdout).write(text)
}

const BACKUP_HELP = `
The file holds one moment of everything: accounts, people, events, settings, tokens, jobs that wait, and ROLLCALL_SECRET.
${examples(
  'rollcall backup /backups/rollcall-$(date +%F).backup',
  "rollcall backup - | ssh vault 'cat > rollcall.backup'",
)}`

const RESTORE_HELP = examples(
  'rollcall restore /backups/rollcall-2026-01-31.backup',
  'rollcall restore --check /backups/rollcall-2026-01-31.backup',
  'DATABASE_URL=postgres://… rollcall restore - < rollcall.backup',
)
