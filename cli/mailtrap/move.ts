import { Refusal } from '@rollcall/server/lib/refusal.ts'
import { InvalidError } from '../../sdk/src/errors.ts'
import type { Import, ImportOptions } from '../../sdk/src/rollcall.ts'
import type { Context } from '../context.ts'
import { number } from '../output.ts'
import { type Journal, type Step, writeJournal } from './journal.ts'
import { keyOf, peopleFile, type Targets } from './people-file.ts'
import type { Filter, Source, SourceField } from './source.ts'

/** A move of one account: what is read, where it goes, and the file that says how far it is. */
export interface Move {
  context: Context
  source: Source
  journal: Journal
  path: string
}

interface Plan {
  key: string
  title: string
  filters: Filter[]
  /** Of each row; of new people alone it is in the options. */
  state?: string
  options: ImportOptions
}

/** What a source's kinds are called here. */
const KINDS: Record<SourceField['data_type'], string> = {
  text: 'text',
  integer: 'integer',
  float: 'number',
  boolean: 'boolean',
  date: 'date',
}

/** Moves lists, fields, and then people; what is done already is passed over. */
export async function moveAll(move: Move): Promise<void> {
  await moveLists(move)
  const fields = await moveFields(move)
  for (const plan of plansOf(move.journal)) {
    if (move.journal.steps[plan.key]?.done) continue
    await moveFile(move, plan, fields)
  }
}

/** By name, as names are unique here: one that is there already is joined. */
async function moveLists(move: Move): Promise<void> {
  const { context, source, journal } = move
  const { client, signal } = context
  const known = await client.lists.list({}, { signal })
  for (const { id, name } of await source.lists(signal)) {
    if (journal.lists.some((list) => list.from === id)) continue
    const found = known.find((list) => list.name.toLowerCase() === name.trim().toLowerCase())
    if (found?.type === 'smart')
      throw new Refusal(`the list ${name} is a smart list here, which takes no members: rename it, and run this again`)
    const made = found ?? (await client.lists.create({ name }, { signal }))
    if (!found) known.push(made)
    journal.lists.push({ name, from: id, to: made.id, made: !found })
    writeJournal(move.path, journal)
  }
}

/** By merge tag; answers what each column of an export may be called. */
async function moveFields(move: Move): Promise<Targets> {
  const { context, source, journal } = move
  const { client, signal } = context
  const known = await client.fields.list({ signal })
  const targets = new Map<string, string>()
  for (const { name, merge_tag, data_type } of await source.fields(signal)) {
    let moved = journal.fields.find((field) => field.from === merge_tag)
    if (!moved) {
      const found = known.find((field) => field.merge_tag.toLowerCase() === merge_tag.toLowerCase())
      const tag =
        found?.merge_tag ?? (await defineField(context, { name, merge_tag, type: KINDS[data_type] ?? 'text' }))
      moved = { name, from: merge_tag, to: tag, made: !found }
      journal.fields.push(moved)
      writeJournal(move.path, journal)
    }
    targets.set(keyOf(name), moved.to)
    targets.set(keyOf(merge_tag), moved.to)
  }
  return targets
}

/** Under another tag and name where these are taken, or stand for something else here. */
async function defineField(
  { client, signal }: Context,
  field: { name: string; merge_tag: string; type: string },
): Promise<string> {
  try {
    return (await client.fields.create(field, { signal })).merge_tag
  } catch (error) {
    if (!(error instanceof InvalidError)) throw error
    const other = { ...field, name: `${field.name} (Mailtrap)`, merge_tag: `mailtrap_${field.merge_tag}` }
    return (await client.fields.create(other, { signal })).merge_tag
  }
}

/** First everyone with their state, then who is in which list: an export says neither of itself. */
function plansOf(journal: Journal): Plan[] {
  const consent = { source: 'Mailtrap' }
  return [
    {
      key: 'subscribed',
      title: 'subscribed people',
      filters: [{ name: 'subscription_status', operator: 'equal', value: 'subscribed' }],
      options: { state: 'subscribed', update_existing: true, consent },
    },
    {
      key: 'unsubscribed',
      title: 'unsubscribed people',
      filters: [{ name: 'subscription_status', operator: 'equal', value: 'unsubscribed' }],
      state: 'unsubscribed', // in each row, so that it also counts for who is here and subscribed
      options: { update_existing: true },
    },
    ...journal.lists.map(
      ({ name, from, to }): Plan => ({
        key: `list ${from}`,
        title: `members of ${name}`,
        filters: [{ name: 'list_id', operator: 'equal', value: [from] }],
        options: { list_ids: [to], state: 'none' }, // who came in since the first two files has given no permission here
      }),
    ),
  ]
}

async function moveFile(move: Move, plan: Plan, fields: Targets): Promise<void> {
  const { context, journal, path } = move
  journal.steps[plan.key] ??= {}
  const step: Step = journal.steps[plan.key]!
  const keep = () => writeJournal(path, journal)
  let state = step.importId === undefined ? undefined : await context.client.imports.get(step.importId)
  if (!state || state.phase === 'failed' || state.phase === 'cancelled') {
    state = await carry(move, plan, step, fields, keep)
    step.importId = state.id
    keep()
  }
  const ended = await follow(context, plan.title, state)
  step.done = {
    rows: ended.rows_read,
    created: ended.created_contacts_count,
    updated: ended.updated_contacts_count,
    unchanged: ended.unchanged_contacts_count,
    rejected: ended.rejected_rows_count,
    other:
      ended.duplicate_rows_count +
      ended.suppressed_contacts_count +
      ended.contacts_over_limit_count +
      ended.not_applied_rows_count,
  }
  keep()
}

/** Makes an export, unless one was made, and sends its file on as it comes. */
async function carry(move: Move, plan: Plan, step: Step, fields: Targets, keep: () => void): Promise<Import> {
  const { context, source, journal } = move
  const { client, out, signal } = context
  for (let isSecond = step.exportId === undefined; ; isSecond = true) {
    step.exportId ??= await source.beginExport(plan.filters, signal)
    keep()
    const url = await source.fileOf(step.exportId, signal, () => out.progress(`${plan.title}: waiting for the export`))
    // Its address holds for a while and needs no token: it may be on another host.
    const response = await fetch(url, { signal })
    if (!response.ok || !response.body) {
      await response.body?.cancel()
      if (isSecond)
        throw new Refusal(`the file of export ${step.exportId} can't be loaded: its address answers ${response.status}`)
      delete step.exportId // of an earlier run, and too old by now
      continue
    }
    const file = peopleFile(response.body, fields, plan.state)
    const counted = async function* () {
      for await (const line of file.lines) {
        yield line
        if (file.rows % 1000 === 0) out.progress(`${plan.title}: ${number(file.rows)} rows`)
      }
    }
    const options = {
      ...plan.options,
      format: 'csv' as const,
      delimiter: ',',
      header: true,
      file_name: `mailtrap-${plan.key}.csv`,
    }
    const begun = await client.imports.upload(counted(), options, { signal })
    journal.leftOut = [...new Set([...journal.leftOut, ...file.leftOut])]
    return begun
  }
}

async function follow({ client, out, signal }: Context, title: string, begun: Import): Promise<Import> {
  const ended = await client.imports.wait(begun.id, {
    signal,
    onProgress: ({ phase, progress }) =>
      out.progress(`${title}: ${phase}, ${number(progress.rows_merged)} of ${number(progress.rows_to_merge)} rows`),
  })
  out.clear()
  if (ended.phase === 'ready')
    throw new Refusal(
      `import ${ended.id} (${title}) asks: ${ended.problem ?? 'see rollcall imports get'} Answer with rollcall imports apply ${ended.id}, then run this again`,
    )
  return ended
}
