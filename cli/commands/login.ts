import { text } from 'node:stream/consumers'
import { Refusal } from '@rollcall/server/lib/refusal.ts'
import { Command } from 'commander'
import type { Context } from '../context.ts'
import { ask } from '../given.ts'
import { configPath, FIRST_PROFILE, readConfig, writeConfig } from '../profiles.ts'
import { type Act, done, examples } from './command.ts'

/** `rollcall login` */
export function loginCommand(act: Act): Command {
  return new Command('login')
    .description('keep the address of a service and a token for it, as a profile')
    .option('--url <url>', 'where the service is', 'http://127.0.0.1:8080')
    .option('--token <token>', 'see rollcall token create; asked for, or read from stdin, unless given')
    .addHelpText(
      'after',
      `
Profiles are in ~/.config/rollcall/config.json, which only you can read. ROLLCALL_URL and ROLLCALL_TOKEN go before them.
${examples('rollcall login --url https://contacts.example.com', 'rollcall token create | rollcall login --profile local')}`,
    )
    .action((options: { url: string; token?: string }) => act((context) => login(context, options)))
}

async function login(context: Context, options: { url: string; token?: string }): Promise<void> {
  const { surroundings, profileName = FIRST_PROFILE } = context
  const url = options.url.trim().replace(/\/+$/, '')
  if (!/^https?:$/.test(URL.canParse(url) ? new URL(url).protocol : ''))
    throw new Refusal(`${options.url} is no address of a service: give one such as https://contacts.example.com`)
  const { stdin } = surroundings
  const token = (options.token ?? (stdin.isTTY ? await ask('Token:', surroundings) : await text(stdin))).trim()
  if (token === '') throw new Refusal('no token was given: make one with rollcall token create')
  const { id, name } = await context.clientOf({ url, token }).call('getAccount', {})
  const path = configPath(surroundings)
  const { profiles } = readConfig(path)
  writeConfig(path, { current: profileName, profiles: { ...profiles, [profileName]: { url, token } } })
  await done(
    context,
    { profile: profileName, url, account: { id, name } },
    `Logged in to account ${id} (${name}) at ${url}. Kept as profile ${profileName} in ${path}.`,
  )
}

/** `rollcall logout` */
export function logoutCommand(act: Act): Command {
  return new Command('logout')
    .description('forget a profile; its token goes on working until it is revoked')
    .addHelpText('after', examples('rollcall logout', 'rollcall logout --profile local'))
    .action(() =>
      act(async (context) => {
        const path = configPath(context.surroundings)
        const { current, profiles } = readConfig(path)
        const name = context.profileName ?? current ?? FIRST_PROFILE
        if (!Object.hasOwn(profiles, name)) throw new Refusal(`there is no profile ${name}`)
        const { [name]: _, ...rest } = profiles
        const next = current === name ? Object.keys(rest)[0] : current
        writeConfig(path, { ...(next === undefined ? {} : { current: next }), profiles: rest })
        await done(context, { forgotten: name }, `Forgot profile ${name}.`)
      }),
    )
}

/** `rollcall profiles` */
export function profilesCommand(act: Act): Command {
  return new Command('profiles')
    .description('the services that were logged in to')
    .addHelpText('after', examples('rollcall profiles'))
    .action(() =>
      act(async ({ out, surroundings }) => {
        const { current, profiles } = readConfig(configPath(surroundings))
        const rows = Object.entries(profiles).map(([name, { url }]) => ({ name, url, current: name === current }))
        await out.rows(rows, [
          ['NAME', ({ name }) => name],
          ['URL', ({ url }) => url],
          ['CURRENT', (row) => row.current],
        ])
      }),
    )
}
