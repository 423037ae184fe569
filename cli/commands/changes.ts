import { setTimeout as sleep } from 'node:timers/promises'
import { Refusal } from '@rollcall/server/lib/refusal.ts'
import type { Command } from 'commander'
import type { ChangedContact, ChangeSet, Rollcall } from '../../sdk/src/rollcall.ts'
import type { Context } from '../context.ts'
import { agree } from '../given.ts'
import { positive } from '../options.ts'
import { type Column, moment, number } from '../output.ts'
import { type Act, done, examples, first, group } from './command.ts'

const CHANGE_COLUMNS: readonly Column<ChangeSet>[] = [
  ['ID', ({ id }) => id],
  ['KIND', ({ kind }) => kind],
  ['PHASE', ({ phase }) => phase],
  ['BY', ({ actor }) => actor],
  ['COUNTS', ({ counts }) => counted(counts)],
  ['BEGUN', ({ created_at }) => moment(created_at)],
]

const DIFF_COLUMNS: readonly Column<ChangedContact>[] = [
  ['EMAIL', ({ email }) => email],
  ['ACTION', ({ action }) => action],
  ['BEFORE', ({ before }) => before],
  ['AFTER', ({ after }) => after],
  ['PROBLEM', ({ problem }) => problem],
]

/** Phases in which nothing more happens by itself. */
const AT_REST = ['ready', 'finished', 'failed', 'cancelled', 'reverted']
const LONGEST_POLL_MS = 2000

/** `rollcall changes …` */
export function changesCommand(act: Act): Command {
  const command = group('changes', 'acts on many people: imports, batches, and taking them back')
  command
    .command('list')
    .description('acts on many people, the latest first')
    .option('--limit <count>', 'at most so many', positive, 20)
    .addHelpText('after', examples('rollcall changes list'))
    .action(({ limit }: { limit: number }) =>
      act(async ({ client, out, signal }) => out.rows(first(client.changeSets.all({ signal }), limit), CHANGE_COLUMNS)),
    )
  command
    .command('get')
    .description('one act')
    .argument('<id>', 'as changes list shows it', positive)
    .addHelpText('after', examples('rollcall changes get 12'))
    .action((id: number) => act(async ({ client, out }) => out.one(await client.changeSets.get(id))))
  command
    .command('diff')
    .description('what an act did, or by its trial would do, to each person')
    .argument('<id>', 'as changes list shows it', positive)
    .option('--limit <count>', 'at most so many', positive)
    .addHelpText('after', examples('rollcall changes diff 12', 'rollcall changes diff 12 --json > diff.json'))
    .action((id: number, { limit }: { limit?: number }) =>
      act(async ({ client, out, signal }) => {
        const rows = client.changeSets.diff(id, { signal })
        await out.rows(limit === undefined ? rows : first(rows, limit), DIFF_COLUMNS, 'It changes nobody.')
      }),
    )
  command
    .command('apply')
    .description('do what a trial (--dry-run) has planned')
    .argument('<id>', 'as changes list shows it', positive)
    .option('--yes', 'do not ask')
    .addHelpText('after', examples('rollcall changes apply 12'))
    .action((id: number, { yes }: { yes?: true }) =>
      act((context) => applyChange(context, context.client, id, yes === true)),
    )
  command
    .command('revert')
    .description('take an act back as a whole, after a look at what would come of it')
    .argument('<id>', 'as changes list shows it', positive)
    .option('--dry-run', 'only say what would come of it')
    .option('--yes', 'do not ask')
    .addHelpText('after', examples('rollcall changes revert 12 --dry-run', 'rollcall changes revert 12 --yes'))
    .action((id: number, { dryRun, yes }: { dryRun?: true; yes?: true }) =>
      act((context) => revert(context, id, { isTrial: dryRun === true, isAgreed: yes === true })),
    )
  return command
}

/** Does what was planned, after a question unless it is agreed to, and says what has come of it. */
export async function applyChange(context: Context, client: Rollcall, id: number, isAgreed: boolean): Promise<void> {
  const { kind, counts, options } = await client.changeSets.get(id)
  const what = (options.act as { type?: string } | undefined)?.type?.replaceAll('_', ' ') ?? kind
  if (!isAgreed && !(await agree(`Apply ${what} ${id} (${counted(counts)})?`, context.surroundings)))
    throw new Refusal('nothing was applied: say --yes')
  if (kind === 'import') await client.imports.apply(id)
  else await client.changeSets.apply(id)
  const ended = await waitFor(context, client, id)
  await done(context, ended, `${kind} ${id} is ${ended.phase}: ${counted(ended.counts)}`)
}

async function revert(
  context: Context,
  id: number,
  { isTrial, isAgreed }: { isTrial: boolean; isAgreed: boolean },
): Promise<void> {
  const { client, out, surroundings } = context
  const trial = await client.changeSets.revert(id, { dry_run: true })
  if (isTrial && out.isJson) return out.json(trial)
  await out.say(`Taking ${id} back would leave:`)
  for (const [name, meaning] of MEANINGS) await out.say(`  ${number(trial.counts[name]).padStart(9)}  ${meaning}`)
  if (isTrial) return
  if (!isAgreed && !(await agree('Do it?', surroundings))) throw new Refusal('nothing was reverted: say --yes')
  const begun = await client.changeSets.revert(id)
  if (begun.change_set_id === null) return done(context, begun, 'There was nothing to take back.')
  const ended = await waitFor(context, client, begun.change_set_id)
  await done(context, ended, `Change ${ended.id} has taken ${id} back: ${counted(ended.counts)}`)
}

const MEANINGS = [
  ['removed', 'removed, as it had entered them and nobody touched them since'],
  ['restored', 'as they were before'],
  ['kept', 'with something that stays, as it was changed since'],
  ['gone', 'gone already'],
] as const

/** Waits until nothing more happens to an act by itself. Throws a Refusal when it has failed. */
async function waitFor(context: Context, client: Rollcall, id: number): Promise<ChangeSet> {
  const { out, signal } = context
  context.whenInterrupted = `the work goes on: see rollcall changes get ${id}`
  for (let pause = 100; ; pause = Math.min(LONGEST_POLL_MS, pause * 1.5)) {
    const state = await client.changeSets.get(id, { signal })
    if (state.phase === 'failed') throw new Refusal(`change ${id} has failed: see rollcall changes get ${id}`)
    if (AT_REST.includes(state.phase)) return state
    out.progress(`change ${id} is ${state.phase}: ${counted(state.counts)}`)
    await sleep(pause, undefined, { signal }).catch(() => signal.throwIfAborted())
  }
}

function counted(counts: Record<string, number>): string {
  const told = Object.entries(counts).filter(([, count]) => count > 0)
  return told.map(([name, count]) => `${number(count)} ${name.replaceAll('_', ' ')}`).join(', ') || 'nothing'
}
