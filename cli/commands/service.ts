import { Command, Option } from 'commander'
import type { Context } from '../context.ts'
import { EXIT } from '../failures.ts'
import { positive } from '../options.ts'
import { number } from '../output.ts'
import { printableLines } from '../text.ts'
import { type Act, done, examples } from './command.ts'

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
    .option('--demo', 'with people, lists and months of activity in account 1, to look around in')
    .addHelpText('after', START_HELP)
    .action(({ role, demo }: { role: (typeof ROLES)[number]; demo?: true }) =>
      act(async () => onExit(await (await server()).start({ role, demo: demo === true }))),
    )
  const migrate = new Command('migrate')
    .description("bring the database's schema up to date and end; start does so too")
    .action(() =>
      act(async (context) => {
        await (await server()).runMigrations()
        await done(context, { up_to_date: true }, 'The schema is up to date.')
      }),
    )
  const demo = new Command('demo')
    .description('fill an account with 5,000 made-up people, lists, smart lists and months of activity')
    .addOption(new Option('--account <id>', 'an account without people of its own').argParser(positive).default(1))
    .addHelpText('after', examples('rollcall demo', 'npm start -- --demo'))
    .action(({ account }: { account: number }) =>
      act(async (context) => {
        const made = await (await server()).makeDemo(account)
        const told = `${number(made.contacts)} people, ${made.lists} lists and ${number(made.events)} events`
        const result = { contacts: made.contacts, lists: made.lists, events: made.events, was_there: made.wasThere }
        await done(context, result, `Account ${account} has ${told}${made.wasThere ? ', as before' : ''}.`)
      }),
    )
  const doctor = new Command('doctor')
    .description('look at configuration, database, mail, disk and clock, and say what to do; changes nothing')
    .addHelpText(
      'after',
      `\nEnds with 1 when something is wrong, and with 0 when there are but warnings.\n${examples('rollcall doctor')}`,
    )
    .action(() =>
      act(async (context) => {
        if (!(await examine(context))) onExit(EXIT.failed)
      }),
    )
  return [start, migrate, doctor, demo]
}

const MARKS = { ok: ['green', 'ok  '], warn: ['yellow', 'look'], fail: ['red', 'bad '] } as const

/** Shows each finding as it is made; answers whether all is well enough to start. */
async function examine({ out }: Context): Promise<boolean> {
  const findings = []
  for await (const finding of (await server()).examine()) {
    findings.push(finding)
    const { what, state, found, cure } = finding
    const [color, mark] = MARKS[state]
    if (out.isJson) continue
    await out.write(
      `${out.color(color, mark)}  ${what.padEnd(14)}${printableLines(found).replaceAll('\n', '\n                    ')}\n`,
    )
    if (cure !== undefined) await out.say(`                    → ${cure}`)
  }
  if (out.isJson) await out.json(findings)
  return findings.every(({ state }) => state !== 'fail')
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
