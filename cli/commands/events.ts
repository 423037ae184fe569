import { Command } from 'commander'
import type { FeedEvent } from '../../sdk/src/rollcall.ts'
import { Interrupted } from '../context.ts'
import { positive } from '../options.ts'
import { moment } from '../output.ts'
import { type Act, examples } from './command.ts'

interface Options {
  follow?: true
  after?: string
  types?: string
  contact?: string
  limit: number
}

/** `rollcall events` */
export function eventsCommand(act: Act): Command {
  return new Command('events')
    .description('all that happens, in one order without gaps')
    .option('--follow', 'what happens from now on, until Ctrl-C; a connection that breaks off is taken up again')
    .option('--after <cursor>', 'behind this cursor, `start` or `now`; with --follow, `now` unless given')
    .option('--types <types>', 'only these, separated by commas, such as subscribed,unsubscribed')
    .option('--contact <contact>', 'only of this person')
    .option('--limit <count>', 'without --follow, at most so many', positive, 100)
    .addHelpText(
      'after',
      `
With --json each event is one line, with the cursor to go on behind it: keep it, and give it as --after.
${examples('rollcall events --follow', 'rollcall events --after start --types unsubscribed --json')}`,
    )
    .action(({ follow, after, types, contact, limit }: Options) =>
      act(async (context) => {
        const { client, out, signal } = context
        const which = {
          ...(types === undefined ? {} : { types: types.split(',').map((type) => type.trim()) as FeedEvent['type'][] }),
          ...(contact === undefined ? {} : { contact }),
          ...(after === undefined ? {} : { after }),
          signal,
        }
        if (!follow) {
          let left = limit
          for await (const { events, cursor } of client.events.batches({ ...which, limit: Math.min(limit, 1000) })) {
            for (const [at, event] of events.slice(0, left).entries())
              await out.line(at === events.length - 1 ? { ...event, cursor } : event, () => lineOf(event))
            left -= events.length
            if (left <= 0) return
          }
          return
        }
        const onBreak = (reason: Error) => out.note(`${reason.message}; trying again`)
        try {
          for await (const { event, cursor } of client.events.stream({ ...which, onBreak }))
            await out.line({ ...event, cursor }, () => lineOf(event))
        } catch (error) {
          // Ctrl-C is how one stops following.
          if (!(error instanceof Interrupted)) throw error
        }
      }),
    )
}

function lineOf({ at, types, name, contact_id, data, change_set_id }: FeedEvent): string {
  const what = name === undefined ? types.join(',') : `${types.join(',')} ${name}`
  const whom = contact_id ?? (change_set_id === undefined ? '-' : `change ${change_set_id}`)
  return `${moment(at)}  ${what.padEnd(24)}  ${whom.padEnd(36)}  ${JSON.stringify(data)}`
}
