import { Refusal } from '@rollcall/server/lib/refusal.ts'
import type { List, Rollcall } from '../../sdk/src/rollcall.ts'

/** The list of that id, or of that name in any letter case. Throws a Refusal that names those there are. */
export async function listNamed(client: Rollcall, named: string, signal?: AbortSignal): Promise<List> {
  const wanted = named.trim().toLowerCase()
  const all = await client.lists.list({}, { signal })
  const found = all.find(({ name }) => name.toLowerCase() === wanted) ?? all.find(({ id }) => String(id) === wanted)
  if (found) return found
  throw new Refusal(
    `there is no list ${named}: ${all.length === 0 ? 'there are none' : `there are ${some(all.map(({ name }) => name))}`}`,
  )
}

/** The id of the field with that id, merge tag or name. */
export async function fieldNamed(client: Rollcall, named: string): Promise<number> {
  const wanted = named.trim().toLowerCase()
  const all = await client.fields.list()
  const by = (key: 'merge_tag' | 'name') => all.find((field) => field[key].toLowerCase() === wanted)
  const found = by('merge_tag') ?? by('name') ?? all.find(({ id }) => String(id) === wanted)
  if (found) return found.id
  throw new Refusal(`there is no field ${named}: there are ${some(all.map(({ merge_tag }) => merge_tag))}`)
}

function some(names: readonly string[]): string {
  return names.length > 20 ? `${names.slice(0, 20).join(', ')} and ${names.length - 20} more` : names.join(', ')
}
