import { Command, Option } from 'commander'
import type { Act } from './command.ts'

const ROLES = ['api', 'worker', 'all'] as const

/** The server is loaded by the command that needs it: help should come at once. */
const server = () => import('@rollcall/server/main.ts')

/** `rollcall start`, `rollcall migrate` */
export function serviceCommands(act: Act, onExit: (code: number) => void): Command[] {
  const start = new Command('start')
    .description('run the service until it is told to stop (Ctrl-C, SIGTERM)')
    .addOption(
      new Option('--role <role>', 'the API, the worker for jobs, or both in one process').choices(ROLES).default('all'),
    )
    .addHelpText('after', START_HELP)
    .action(({ role }: { role: (typeof ROLES)[number] }) =>
      act(async () => onExit(await (await server()).start({ role }))),
    )
  const migrate = new Command('migrate')
    .description("bring the database's schema up to date and end; start does so too")
    .action(() => act(async () => (await server()).runMigrations()))
  return [start, migrate]
}

const START_HELP = `
Without DATABASE_URL an embedded PostgreSQL is started in ROLLCALL_HOME, for one process at a time. With it, any number
of processes may share the work:
  DATABASE_URL=postgres://… rollcall start --role api
  DATABASE_URL=postgres://… rollcall start --role worker

Examples:
  rollcall start
  PORT=9000 rollcall start
`
