import { z } from 'zod'
import type { Answer, Body, Import } from '../sdk/src/rollcall.ts'
import { criteria, type Desk, given, tool } from './desk.ts'

const MOST_CONTACTS = 1000
const MOST_CSV = 1_000_000
/** A proposal of so many people that this does not do is read later, with get_change. */
const WAIT_MS = 20_000
const POLL_MS = 200

const proposed = (id: number) =>
  `Nothing has been changed. A person can look at change ${id} and approve it: in the admin UI, or with \`rollcall mcp approve ${id}\`. Show them the counts, and get_change for the diff.`

/** The tools that change something, or propose to. */
export function writingTools(desk: Desk): void {
  const { client, write } = desk
  const { call } = client
  const how = write
    ? 'It is done at once.'
    : 'It is a proposal: nothing changes until a person approves it, and the answer says how they do.'

  tool(
    desk,
    'create_smart_list',
    {
      title: write ? 'Create a smart list' : 'Propose a smart list',
      description: `A list whose members are whoever meets the criteria, now and later. Use preview_segment first. ${how}`,
      does: write ? 'write' : 'propose',
      input: { name: z.string().min(1).max(255), description: z.string().max(1000).optional(), criteria },
    },
    async (asked) => {
      const preview = await call('previewCriteria', { body: { criteria: asked.criteria, count: 'exact' } })
      const body = given(asked)
      if (write) return { list: await client.lists.create(body), count: preview.count }
      return {
        ...{ proposal: 'smart_list', list: body, count: preview.count, sample: preview.sample },
        next: 'Nothing has been changed. A person can create it with this list’s name and criteria in the admin UI, or with the command.',
        command: `rollcall mcp create-list ${quoted(JSON.stringify(body))}`,
      }
    },
  )

  tool(
    desk,
    'bulk_change',
    {
      title: write ? 'Change everyone selected' : 'Propose a change of everyone selected',
      description: `Update fields, add or remove tags, add to or remove from a static list, unsubscribe or delete everyone who meets a selection. An empty selection is everyone. ${how}`,
      does: write ? 'write' : 'propose',
      input: {
        selection: z
          .strictObject({
            q: z.string().max(200).optional(),
            criteria: criteria.optional(),
            list_id: z.number().int().optional(),
            tag: z.string().optional(),
            state: z.string().optional(),
          })
          .describe('Whom; everything must hold. One person: {"criteria":{"email":"ann@example.com"}}'),
        action: z.discriminatedUnion('type', [
          z.strictObject({ type: z.literal('update'), fields: z.record(z.string(), z.unknown()) }),
          z.strictObject({ type: z.literal('add_tags'), tags: z.array(z.string()).min(1) }),
          z.strictObject({ type: z.literal('remove_tags'), tags: z.array(z.string()).min(1) }),
          z.strictObject({ type: z.literal('add_to_list'), list_id: z.number().int() }),
          z.strictObject({ type: z.literal('remove_from_list'), list_id: z.number().int() }),
          z.strictObject({ type: z.literal('unsubscribe') }),
          z.strictObject({ type: z.literal('delete') }),
        ]),
      },
    },
    async ({ selection, action }) => {
      const body = { selection: given(selection), action, dry_run: !write } as Body<'startBulk'>
      const change = await settled(desk, await call('startBulk', { body }))
      return write ? { change } : { proposal: 'bulk_change', change, next: proposed(change.id) }
    },
  )

  tool(
    desk,
    'import_contacts',
    {
      title: write ? 'Import contacts' : 'Try an import',
      description: `Enter or update many people, from a list of contacts or the text of a CSV file. Nobody is mailed, and nobody who has left is resubscribed. ${
        write ? 'dry_run (the default) shows what would happen; with dry_run false it is done at once.' : how
      }`,
      does: write ? 'write' : 'propose',
      input: {
        contacts: z
          .array(
            z.strictObject({
              email: z.string(),
              fields: z.record(z.string(), z.unknown()).optional(),
              tags: z.array(z.string()).optional(),
            }),
          )
          .max(MOST_CONTACTS)
          .optional()
          .describe('Or csv'),
        csv: z.string().max(MOST_CSV).optional().describe('A CSV file with a header row'),
        list_id: z.number().int().optional().describe('A static list that all of them join'),
        update_existing: z.boolean().default(true).describe('Whether people who are there get the new values'),
        ...(write ? { dry_run: z.boolean().default(true) } : {}),
      },
    },
    async ({ contacts, csv, list_id, update_existing, ...more }) => {
      if ((contacts === undefined) === (csv === undefined)) throw new Error('give either contacts or csv')
      const dryRun = !write || more.dry_run !== false
      const options = given({ update_existing, list_id, dry_run: dryRun })
      const begun =
        csv === undefined
          ? await client.importContacts(contacts!.map(given), {
              ...options,
              format: 'ndjson',
              file_name: 'contacts.ndjson',
            })
          : await client.importContacts(csv, { ...options, format: 'csv', file_name: 'contacts.csv' })
      const done = summaryOf(await client.waitForImport(begun))
      return dryRun ? { proposal: 'import', import: done, next: proposed(done.id) } : { import: done }
    },
  )

  if (write)
    tool(
      desk,
      'apply_change',
      {
        title: 'Carry out a proposal',
        description:
          'Does what a change set in phase "ready" proposes: a bulk change or a tried import. Look at it with get_change first.',
        does: 'write',
        input: { id: z.number().int().min(1) },
      },
      async ({ id }) => approve(desk, id),
    )
}

/** Carries out what is proposed. Throws when there is nothing to approve. */
export async function approve({ client }: Pick<Desk, 'client'>, id: number): Promise<object> {
  const { kind, phase } = await client.call('getChangeSet', { path: { id } })
  if (kind === 'import') {
    await client.imports.apply(id)
    return { import: summaryOf(await client.waitForImport(id)) }
  }
  if (kind !== 'bulk' || phase !== 'ready') throw new Error(`change ${id} (${kind}, ${phase}) waits for no approval`)
  return { change: await settled({ client }, await client.call('applyBulk', { path: { id } })) }
}

/** What it has come to when it rests, or after a while. */
async function settled(
  { client }: Pick<Desk, 'client'>,
  begun: Answer<'getChangeSet'>,
): Promise<Answer<'getChangeSet'>> {
  let change = begun
  for (const end = performance.now() + WAIT_MS; performance.now() < end; ) {
    if (['ready', 'finished', 'failed', 'cancelled'].includes(change.phase)) break
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    change = await client.call('getChangeSet', { path: { id: change.id } })
  }
  return change
}

function summaryOf({ id, phase, rows_read, errors, ...rest }: Import): { id: number } & Record<string, unknown> {
  const counts = Object.entries(rest).filter(([name]) => name.endsWith('_count'))
  return { id, phase, rows_read, ...Object.fromEntries(counts), errors }
}

/** For a shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
