import { createRequire } from 'node:module'
import { Command, CommanderError, Option } from 'commander'
import { accountCommand, tokenCommand } from './commands/access.ts'
import { backupCommand, restoreCommand } from './commands/backup.ts'
import { changesCommand } from './commands/changes.ts'
import type { Act } from './commands/command.ts'
import { completionCommand } from './commands/completion.ts'
import { contactsCommand } from './commands/contacts.ts'
import { eraseCommand } from './commands/erase.ts'
import { eventsCommand } from './commands/events.ts'
import { exportCommand } from './commands/export.ts'
import { fieldsCommand } from './commands/fields.ts'
import { importCommand } from './commands/import.ts'
import { importsCommand } from './commands/imports.ts'
import { listsCommand } from './commands/lists.ts'
import { loginCommand, logoutCommand, profilesCommand } from './commands/login.ts'
import { mcpCommand } from './commands/mcp.ts'
import { migrateFromCommand } from './commands/migrate-from.ts'
import { segmentsCommand } from './commands/segments.ts'
import { serviceCommands } from './commands/service.ts'
import { suppressionsCommand } from './commands/suppressions.ts'
import { templatesCommand } from './commands/templates.ts'
import { userCommand } from './commands/user.ts'
import { webhooksCommand } from './commands/webhooks.ts'
import { Context, type GlobalOptions } from './context.ts'
import { EXIT, explainFailure } from './failures.ts'
import { ReaderGone } from './output.ts'
import { ownSurroundings, type Surroundings } from './surroundings.ts'

/** Of the whole: cli and server are released together. */
const VERSION: string = createRequire(import.meta.url)('./package.json').version

/** Runs one command line and ends the process, with a code of `EXIT`, and one line on stderr when it failed. */
export async function run(argv: readonly string[]): Promise<void> {
  process.exit(await execute(argv.slice(2), ownSurroundings()))
}

/** Runs one command line, without the program's name; answers the exit code. */
export async function execute(args: readonly string[], surroundings: Surroundings): Promise<number> {
  let exitCode: number = EXIT.done
  const program = programWith(surroundings, (code) => {
    exitCode = code
  })
  const context = () => new Context(surroundings, program.opts<GlobalOptions>())
  try {
    await program.parseAsync(args, { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage
    const { message, exitCode: code } = await explainFailure(error, context())
    surroundings.stderr.write(`rollcall: ${message}\n`)
    return code
  }
}

/** All commands; `onExit` is told how `start` ended. */
export function programWith(surroundings: Surroundings, onExit: (code: number) => void): Command {
  const program = new Command('rollcall')
  const act: Act = async (work) => {
    const context = new Context(surroundings, program.opts<GlobalOptions>())
    try {
      await work(context)
    } catch (error) {
      if (error instanceof ReaderGone) return
      const { message, exitCode } = await explainFailure(error, context)
      context.close()
      surroundings.stderr.write(`rollcall: ${message}\n`)
      onExit(exitCode)
    } finally {
      context.close()
    }
  }
  program
    .description('A contacts and audience service on PostgreSQL')
    .version(VERSION, '-V, --version', 'the version')
    .addOption(new Option('--json', 'print JSON'))
    .addOption(new Option('--profile <name>', 'the service of this profile: see rollcall login'))
    .addHelpText('after', EXAMPLES)
  program.commandsGroup('The service, on its own machine:')
  for (const command of [
    ...serviceCommands(act, onExit),
    backupCommand(act),
    restoreCommand(act),
    tokenCommand(act),
    accountCommand(act),
    userCommand(act),
  ])
    program.addCommand(command)
  program.commandsGroup('People, by the API:')
  for (const make of [
    contactsCommand,
    listsCommand,
    fieldsCommand,
    segmentsCommand,
    importCommand,
    importsCommand,
    exportCommand,
    changesCommand,
    eraseCommand,
    eventsCommand,
    webhooksCommand,
    suppressionsCommand,
    templatesCommand,
    migrateFromCommand,
  ])
    program.addCommand(make(act))
  program.addCommand(mcpCommand(act))
  program.commandsGroup('This command:')
  for (const command of [
    loginCommand(act),
    logoutCommand(act),
    profilesCommand(act),
    completionCommand(act, () => program),
  ])
    program.addCommand(command)
  program.addHelpCommand(
    new Command('help').argument('[command]').description('help for a command').helpGroup('This command:'),
  )
  for (const command of everyCommand(program))
    command
      .exitOverride()
      .configureHelp({ showGlobalOptions: true })
      .showHelpAfterError(`(${pathOf(command)} --help shows what there is)`)
      .configureOutput({
        writeOut: (text) => void surroundings.stdout.write(text),
        writeErr: (text) => void surroundings.stderr.write(text),
        getOutHasColors: () => false,
        getErrHasColors: () => false,
      })
  return program
}

export function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)]
}

/** `rollcall contacts find` */
export function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name()
}

const EXAMPLES = `
Commands of the service take settings from the environment and from .env, such as PORT, DATABASE_URL and ROLLCALL_HOME.
Commands by the API go to the service of ROLLCALL_URL and ROLLCALL_TOKEN, or of the profile that rollcall login has kept.

Examples:
  rollcall start
  rollcall token create | rollcall login
  rollcall import people.csv --list Newsletter --dry-run
  rollcall contacts find love --json
`
