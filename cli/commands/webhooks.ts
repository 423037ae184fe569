import { Refusal } from '@rollcall/server/lib/refusal.ts'
import { type Command, Option } from 'commander'
import type { Body, Delivery, Webhook } from '../../sdk/src/rollcall.ts'
import { agree, readJson } from '../given.ts'
import { positive } from '../options.ts'
import { type Column, moment } from '../output.ts'
import { type Act, done, examples, first, group } from './command.ts'

const WEBHOOK_COLUMNS: readonly Column<Webhook>[] = [
  ['ID', ({ id }) => id],
  ['URL', ({ url }) => url],
  ['TYPES', ({ types }) => types ?? 'all'],
  ['ENABLED', ({ enabled, disabled_reason }) => (enabled ? 'yes' : `no: ${disabled_reason ?? 'turned off'}`)],
  ['FAILING SINCE', ({ failing_since }) => failing_since],
]

const DELIVERY_COLUMNS: readonly Column<Delivery>[] = [
  ['ID', ({ id }) => id],
  ['STATE', ({ state }) => state],
  ['KIND', ({ kind }) => kind],
  ['TRIES', ({ tries }) => tries],
  ['LAST', ({ attempts }) => attempts.at(-1)?.status ?? attempts.at(-1)?.error],
  ['NEXT TRY', ({ next_try_at }) => next_try_at],
  ['MADE', ({ created_at }) => moment(created_at)],
]

type Types = NonNullable<Body<'createWebhook'>['types']>

/** `rollcall webhooks …` */
export function webhooksCommand(act: Act): Command {
  const command = group('webhooks', 'addresses that are told what happens')
  const one = (name: string, description: string) =>
    command.command(name).description(description).argument('<id>', 'as webhooks list shows it', positive)
  command
    .command('list')
    .description('all webhooks')
    .addHelpText('after', examples('rollcall webhooks list'))
    .action(() => act(async ({ client, out }) => out.rows((await client.webhooks.list()).data, WEBHOOK_COLUMNS)))
  command
    .command('create')
    .description('tell an address what happens from now on; prints the secret, this once')
    .argument('<url>')
    .option('--types <types>', 'only these, separated by commas; all unless given')
    .option('--criteria <json>', 'only of people who meet them: JSON, a file (@FILE) or stdin (-)')
    .option('--each', "of an act on many, each person's event as well")
    .option('--description <text>')
    .addHelpText('after', examples('rollcall webhooks create https://example.com/hook --types subscribed,unsubscribed'))
    .action((url: string, options: { types?: string; criteria?: string; each?: true; description?: string }) =>
      act(async (context) => {
        const { types, criteria, each, description } = options
        const made = await context.client.webhooks.create({
          url,
          ...(types === undefined ? {} : { types: types.split(',').map((type) => type.trim()) as Types }),
          ...(criteria === undefined ? {} : { criteria: await readJson(criteria, context.surroundings, 'criteria') }),
          ...(each ? { each } : {}),
          ...(description === undefined ? {} : { description }),
        })
        await done(
          context,
          made,
          `Made webhook ${made.id}. Its messages are signed with ${made.secret} (shown this once).`,
        )
      }),
    )
  one('get', 'one webhook')
    .addHelpText('after', examples('rollcall webhooks get 3'))
    .action((id: number) => act(async ({ client, out }) => out.one(await client.webhooks.get(id))))
  for (const [name, enabled] of [
    ['enable', true],
    ['disable', false],
  ] as const)
    one(name, enabled ? 'let it go on where it stopped' : 'send nothing until it is enabled again')
      .addHelpText('after', examples(`rollcall webhooks ${name} 3`))
      .action((id: number) =>
        act(async (context) =>
          done(context, await context.client.webhooks.update(id, { enabled }), `Webhook ${id} is ${name}d.`),
        ),
      )
  one('delete', 'delete a webhook and its log')
    .option('--yes', 'do not ask')
    .addHelpText('after', examples('rollcall webhooks delete 3'))
    .action((id: number, { yes }: { yes?: true }) =>
      act(async (context) => {
        const { url } = await context.client.webhooks.get(id)
        if (!yes && !(await agree(`Delete webhook ${id} to ${url}?`, context.surroundings)))
          throw new Refusal('nothing was deleted: say --yes')
        await context.client.webhooks.delete(id)
        await done(context, { deleted: id }, `Deleted webhook ${id}.`)
      }),
    )
  one('test', 'send a message that tells nothing, once')
    .addHelpText('after', examples('rollcall webhooks test 3'))
    .action((id: number) =>
      act(async (context) => {
        const sent = await context.client.webhooks.test(id)
        await done(context, sent, `Delivery ${sent.id} is on its way: see rollcall webhooks deliveries ${id}`)
      }),
    )
  one('deliveries', 'what was sent in the last 14 days, and how it went')
    .addOption(new Option('--state <state>').choices(['pending', 'delivered', 'failed', 'erased']))
    .option('--limit <count>', 'at most so many', positive, 50)
    .addHelpText('after', examples('rollcall webhooks deliveries 3 --state failed'))
    .action((id: number, { state, limit }: { state?: 'pending' | 'delivered' | 'failed' | 'erased'; limit: number }) =>
      act(async ({ client, out, signal }) => {
        const rows = client.webhooks.deliveries(id, state === undefined ? {} : { state }, { signal })
        await out.rows(first(rows, limit), DELIVERY_COLUMNS)
      }),
    )
  one('redeliver', 'send a delivery again, under the same id')
    .argument('<delivery>', 'as webhooks deliveries shows it', positive)
    .addHelpText('after', examples('rollcall webhooks redeliver 3 1204'))
    .action((id: number, delivery: number) =>
      act(async (context) =>
        done(context, await context.client.webhooks.redeliver(id, delivery), `Delivery ${delivery} goes out again.`),
      ),
    )
  one('replay', 'read the feed on from another position')
    .requiredOption('--after <cursor>', 'a cursor of rollcall events, `start` or `now`')
    .addHelpText('after', examples('rollcall webhooks replay 3 --after start'))
    .action((id: number, { after }: { after: string }) =>
      act(async (context) =>
        done(context, await context.client.webhooks.replay(id, after), `Webhook ${id} reads on from there.`),
      ),
    )
  one('rotate-secret', 'a new secret; the one of before signs beside it for a day')
    .addHelpText('after', examples('rollcall webhooks rotate-secret 3'))
    .action((id: number) =>
      act(async (context) => {
        const changed = await context.client.webhooks.rotateSecret(id)
        await done(context, changed, `Webhook ${id} signs with ${changed.secret} (shown this once).`)
      }),
    )
  return command
}
