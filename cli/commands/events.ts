import { Command } from 'commander'
import type { FeedEvent } from '../../sdk/src/rollcall.ts'
import { type Context, Interrupted } from '../context.ts'
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

interface Which {
  types?: FeedEvent['type'][]
  contact?: string
  after?: string
  signal: AbortSignal
}

/** The API answers no more at once. */
const MOST_A_PAGE = 1000

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
With --json each event is one line. The last one has the cursor to go on behind it, with --follow each: keep it, and give it as --after.
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
        if (!follow) return page(context, which, limit)
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

/** The next events, with a cursor at the last of each answer: a page ends where an answer does, so its last line has one. */
async function page({ client, out }: Context, which: Which, most: number): Promise<void> {
  const { types, contact, after, signal } = which
  let cursor = after
  for (let left = most; left > 0; ) {
    const query = {
      ...(types && { types: types.join(',') }),
      ...(contact && { contact }),
      ...(cursor && { after: cursor }),
      limit: Math.min(left, MOST_A_PAGE),
    }
    const { data, next_cursor, has_more } = await client.events.read(query, { signal })
    cursor = next_cursor
    for (const [at, event] of data.entries())
      await out.line(at === data.length - 1 ? { ...event, cursor } : event, () => lineOf(event))
    left -= data.length
    if (!has_more) return
  }
}

function lineOf({ at, types, name, contact_id, data, change_set_id }: FeedEvent): string {
  const what = name === undefined ? types.join(',') : `${types.join(',')} ${name}`
  const whom = contact_id ?? (change_set_id === undefined ? '-' : `change ${change_set_id}`)
  return `${moment(at)}  ${what.padEnd(24)}  ${whom.padEnd(36)}  ${JSON.stringify(data)}`
}
