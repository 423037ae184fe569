import { createRequire } from 'node:module'
import { Refusal } from '@rollcall/server/lib/refusal.ts'
import { Command, Option } from 'commander'
import type { Body } from '../../sdk/src/rollcall.ts'
import type { Context } from '../context.ts'
import { readJson } from '../given.ts'
import { positive } from '../options.ts'
import { chooseService, LOCAL_URL, type Profile } from '../profiles.ts'
import { applyChange } from './changes.ts'
import { type Act, done, examples } from './command.ts'

const VERSION: string = createRequire(import.meta.url)('../package.json').version

interface Reaching {
  url?: string
  token?: string
}

interface Serving extends Reaching {
  write?: boolean
  http?: number
  host: string
}

/** `rollcall mcp …`: what a language model needs to work with Rollcall, and the person beside it. */
export function mcpCommand(act: Act): Command {
  const command = new Command('mcp')
    .description('serve language models over the Model Context Protocol; what they change is proposed to you')
    .addOption(urlOption())
    .addOption(tokenOption())
    .option('--write', 'do what the model wants to change at once, instead of proposing it')
    .option('--http <port>', 'serve Streamable HTTP at /mcp, to clients that each bring their token', positive)
    .option('--host <host>', 'where to listen with --http', '127.0.0.1')
    .addHelpText('after', HELP)
    .action((options: Serving) => act((context) => serve(context, options)))
  command
    .command('approve')
    .description('carry out what was proposed, after a look at it')
    .argument('<change>', 'the number of the change', positive)
    .addOption(urlOption())
    .addOption(tokenOption())
    .option('--yes', 'do not ask')
    .addHelpText('after', examples('rollcall mcp approve 42'))
    .action((id: number, { yes }: { yes?: true }, self: Command) =>
      act(async (context) => {
        const client = context.clientOf(serviceOf(context, self.optsWithGlobals<Reaching>()))
        const { kind, phase } = await client.changeSets.get(id)
        if (phase !== 'ready') throw new Refusal(`change ${id} (${kind}, ${phase}) waits for no approval`)
        await applyChange(context, client, id, yes === true)
      }),
    )
  command
    .command('create-list')
    .description('create a list that was proposed')
    .argument('<json>', 'name, description and criteria, as the proposal says; or a file (@FILE), or stdin (-)')
    .addOption(urlOption())
    .addOption(tokenOption())
    .addHelpText('after', examples(`rollcall mcp create-list '{"name":"Customers","criteria":{"tag":"customer"}}'`))
    .action((json: string, _options: object, self: Command) =>
      act(async (context) => {
        const body = (await readJson(json, context.surroundings, 'list')) as Body<'createList'>
        const client = context.clientOf(serviceOf(context, self.optsWithGlobals<Reaching>()))
        const made = await client.lists.create(body)
        await done(context, made, `Made the list ${made.name}: rollcall lists members ${made.id}`)
      }),
    )
  return command
}

const urlOption = () => new Option('--url <url>', 'where Rollcall answers (else ROLLCALL_URL, or the profile)')
const tokenOption = () =>
  new Option('--token <token>', 'a token of its API (rather in ROLLCALL_TOKEN, or a profile: others see this one)')

/** The service of the options, else the one that every command is for. Throws a Refusal when none is named. */
function serviceOf({ surroundings, profileName, out }: Context, { url, token }: Reaching): Profile {
  const env = { ...surroundings.env, ...(url && { ROLLCALL_URL: url }), ...(token && { ROLLCALL_TOKEN: token }) }
  return chooseService({ ...surroundings, env }, token ? undefined : profileName, (text) => out.note(text))
}

async function serve(context: Context, options: Serving): Promise<void> {
  const { write = false, http, host } = options
  const settings = { write, version: VERSION }
  if (http === undefined) {
    const service = serviceOf(context, options)
    const { serveStdio } = await import('@rollcall/mcp/stdio.ts')
    return serveStdio({ ...service, ...settings })
  }
  const url = options.url ?? context.surroundings.env.ROLLCALL_URL ?? LOCAL_URL
  const { listenHttp } = await import('@rollcall/mcp/http.ts')
  const server = await listenHttp({ url, ...settings, port: http, host })
  context.out.note(`rollcall mcp: at http://${host}:${http}/mcp for ${url}. Ctrl-C ends it.`)
  const { signal } = context
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  server.closeAllConnections()
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
