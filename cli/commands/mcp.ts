import { createRequire } from 'node:module'
import { createInterface } from 'node:readline/promises'
import { Refusal } from '@rollcall/server/lib/refusal.ts'
import { Command, Option } from 'commander'
import { positive } from '../options.ts'
import { examples } from './command.ts'

const VERSION: string = createRequire(import.meta.url)('../package.json').version

interface Reaching {
  url: string
  token?: string
}

interface Serving extends Reaching {
  write?: boolean
  http?: number
  host: string
}

const sdk = () => import('../../sdk/src/rollcall.ts')

/** `rollcall mcp …`: what a language model needs to work with Rollcall, and the person beside it. */
export function mcpCommand(): Command {
  const command = new Command('mcp')
    .description('serve language models over the Model Context Protocol; what they change is proposed to you')
    .addOption(urlOption())
    .addOption(tokenOption())
    .option('--write', 'do what the model wants to change at once, instead of proposing it')
    .option('--http <port>', 'serve Streamable HTTP at /mcp, to clients that each bring their token', positive)
    .option('--host <host>', 'where to listen with --http', '127.0.0.1')
    .addHelpText('after', HELP)
    .action(async ({ url, token, write = false, http, host }: Serving) => {
      if (http !== undefined) {
        const { listenHttp } = await import('@rollcall/mcp/http.ts')
        const server = await listenHttp({ url, write, version: VERSION, port: http, host })
        process.stderr.write(`rollcall mcp: at http://${host}:${http}/mcp for ${url}. Ctrl-C ends it.\n`)
        await new Promise<void>((resolve) => {
          process.once('SIGINT', resolve)
          process.once('SIGTERM', resolve)
        })
        server.closeAllConnections()
        return
      }
      const { serveStdio } = await import('@rollcall/mcp/stdio.ts')
      await serveStdio({ url, token: given(token), write, version: VERSION })
    })
  command
    .command('approve')
    .description('carry out what was proposed, after a look at it')
    .argument('<change>', 'the number of the change', positive)
    .addOption(urlOption())
    .addOption(tokenOption())
    .option('--yes', 'do not ask')
    .addHelpText('after', examples('rollcall mcp approve 42'))
    .action(async (id: number, options: { yes?: true }, self: Command) => {
      const { url, token } = self.optsWithGlobals<Reaching>()
      await asClient(url, token, async (client) => {
        const { approve } = await import('@rollcall/mcp/writing.ts')
        const change = await client.call('getChangeSet', { path: { id } })
        const counts = Object.entries(change.counts).map(([name, count]) => `${name} ${count}`)
        const what = (change.options.act as { type?: string } | undefined)?.type ?? change.kind
        process.stderr.write(`Change ${id}: ${what}, ${change.phase}; ${counts.join(', ') || 'no counts yet'}\n`)
        if (!options.yes && !(await agreed('Carry it out? [y/N] '))) throw new Refusal('nothing has been changed')
        process.stdout.write(`${JSON.stringify(await approve({ client }, id), null, 2)}\n`)
      })
    })
  command
    .command('create-list')
    .description('create a list that was proposed')
    .argument('<json>', 'name, description and criteria, as the proposal says')
    .addOption(urlOption())
    .addOption(tokenOption())
    .addHelpText('after', examples(`rollcall mcp create-list '{"name":"Customers","criteria":{"tag":"customer"}}'`))
    .action(async (json: string, _options: object, self: Command) => {
      const { url, token } = self.optsWithGlobals<Reaching>()
      const body = parsed(json)
      await asClient(url, token, async (client) => {
        process.stdout.write(`${JSON.stringify(await client.lists.create(body), null, 2)}\n`)
      })
    })
  return command
}

const urlOption = () =>
  new Option('--url <url>', 'where Rollcall answers').env('ROLLCALL_URL').default('http://127.0.0.1:8080')
const tokenOption = () =>
  new Option('--token <token>', 'a token of its API (rather in ROLLCALL_TOKEN)').env('ROLLCALL_TOKEN')

function given(token: string | undefined): string {
  if (token === undefined)
    throw new Refusal('no token: set ROLLCALL_TOKEN; rollcall token create --scope write makes one')
  return token
}

function parsed(json: string): { name: string } {
  try {
    return JSON.parse(json)
  } catch {
    throw new Refusal('the list must be JSON, such as {"name":"…","criteria":{…}}')
  }
}

/** What the service refuses is one line. */
async function asClient(
  url: string,
  token: string | undefined,
  work: (client: import('../../sdk/src/rollcall.ts').Rollcall) => Promise<void>,
): Promise<void> {
  const { NotFoundError, rollcall, RollcallError } = await sdk()
  try {
    await work(rollcall({ url, token: given(token) }))
  } catch (error) {
    if (error instanceof NotFoundError)
      throw new Refusal('there is no such change: GET change_sets lists what there is')
    throw error instanceof RollcallError ? new Refusal(error.message) : error
  }
}

async function agreed(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new Refusal('there is nobody to ask: say --yes')
  const asking = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await asking.question(question)).trim())
  } finally {
    asking.close()
  }
}

const HELP = `
A program that talks to a model starts this command and speaks to its input and output. Its settings, for most of them:
  { "mcpServers": { "rollcall": { "command": "npx", "args": ["rollcall", "mcp"],
      "env": { "ROLLCALL_URL": "http://127.0.0.1:8080", "ROLLCALL_TOKEN": "…" } } } }

Examples:
  ROLLCALL_TOKEN=… rollcall mcp
  rollcall mcp --http 8090
  rollcall mcp approve 42
`
