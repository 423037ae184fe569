import { createRequire } from 'node:module'
import { Command, CommanderError, Option } from 'commander'
import { accountCommand, tokenCommand } from './admin.ts'
import { explain } from './explain.ts'
import { mcpCommand } from './mcp.ts'

/** Of the whole: cli and server are released together. */
const VERSION: string = createRequire(import.meta.url)('./package.json').version

const ROLES = ['api', 'worker', 'all'] as const

/** Runs one command line and ends the process: 0 when it did what was asked, 1 after one line on stderr when not. */
export async function run(argv: readonly string[]): Promise<void> {
  let exitCode = 0
  try {
    exitCode = await execute(argv)
  } catch (error) {
    if (error instanceof CommanderError) exitCode = error.exitCode
    else {
      process.stderr.write(`rollcall: ${explain(error)}\n`)
      exitCode = 1
    }
  }
  process.exit(exitCode)
}

async function execute(argv: readonly string[]): Promise<number> {
  let exitCode = 0
  // The server is loaded by the command that needs it: help should come at once.
  const server = () => import('@rollcall/server/main.ts')
  const program = new Command('rollcall')
    .description('A contacts and audience service on PostgreSQL')
    .version(VERSION)
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', EXAMPLES)
  program
    .command('start')
    .description('run the service until it is told to stop (Ctrl-C, SIGTERM)')
    .addOption(
      new Option('--role <role>', 'the API, the worker for jobs, or both in one process').choices(ROLES).default('all'),
    )
    .addHelpText('after', START_HELP)
    .action(async ({ role }: { role: (typeof ROLES)[number] }) => {
      exitCode = await (await server()).start({ role })
    })
  program
    .command('migrate')
    .description("bring the database's schema up to date and end; start does so too")
    .action(async () => (await server()).runMigrations())
  program.addCommand(tokenCommand(async (name, work) => (await server()).withDatabase(name, work)))
  program.addCommand(accountCommand(async (name, work) => (await server()).withDatabase(name, work)))
  program.addCommand(mcpCommand())
  for (const command of everyCommand(program))
    command.exitOverride().showHelpAfterError('(rollcall --help shows what there is)')
  await program.parseAsync(argv)
  return exitCode
}

function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)]
}

const EXAMPLES = `
Settings come from the environment and from .env, such as PORT, DATABASE_URL and ROLLCALL_HOME.

Examples:
  rollcall start
  PORT=9000 rollcall start
  rollcall token create --name website --scope write
  rollcall token list --json
`

const START_HELP = `
Without DATABASE_URL an embedded PostgreSQL is started in ROLLCALL_HOME, for one process at a time. With it, any number
of processes may share the work:
  DATABASE_URL=postgres://… rollcall start --role api
  DATABASE_URL=postgres://… rollcall start --role worker
`
