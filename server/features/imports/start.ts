import type { Queryable, Trx } from '../../db/database.ts'
import type { Caller } from '../../http/caller.ts'
import type { Queue } from '../../jobs/queue.ts'
import { invalid, type Messages } from '../../lib/app-error.ts'
import { checkTags } from '../contacts/input.ts'
import { holdLists } from '../contacts/memberships.ts'
import { createImport, type ImportRow, type NewImport } from './imports.ts'
import { enqueueImport } from './jobs.ts'
import type { ImportOptions } from './options.ts'
import type { FilePreview, PreviewAsked } from './preview.ts'
import { UnreadableFile } from './reading/unreadable.ts'
import { withRecipe } from './recipes.ts'
import { previewInThread, type ThreadParts } from './thread.ts'

/** Options as they count: with their recipe's, tags and lists checked. Throws `invalid`. */
export async function settleOptions(db: Queryable, accountId: number, given: ImportOptions): Promise<ImportOptions> {
  const options = await withRecipe(db, accountId, given)
  return { ...options, ...(options.tags && { tags: checkTags(options.tags) }) }
}

/**
 * Looks at a file before its import is made, so that what can't be right is told at once. Throws `invalid` for a file that
 * can't be read and for options that don't fit its columns.
 */
export async function lookAtFile(thread: ThreadParts, accountId: number, asked: PreviewAsked): Promise<FilePreview> {
  const preview = await previewInThread(thread, accountId, asked).catch((error: unknown) => {
    throw error instanceof UnreadableFile ? invalid({ file: [error.message] }, error) : error
  })
  const faults: Messages = {}
  if (preview.mappingFaults.length > 0) faults.field_mapping = preview.mappingFaults
  const names = new Set(
    preview.columns.flatMap(({ name, target }) => [name, target.to === 'field' ? target.field.mergeTag : target.to]),
  )
  for (const option of ['value_mapping', 'rules'] as const) {
    const unknown = Object.keys(asked.options[option] ?? {}).filter((name) => !names.has(name))
    if (unknown.length > 0) faults[option] = [`not columns of the file: ${unknown.slice(0, 20).join(', ')}`]
  }
  const wanted = asked.options.match_by ?? 'email'
  if (!preview.columns.some(({ target }) => target.to === wanted)) {
    const columns = preview.columns.slice(0, 30).map(({ name }) => name)
    faults.file = [
      `has no column for ${wanted === 'email' ? 'the address' : 'the external id'}: name it in field_mapping; its columns are ${columns.join(', ')}${otherSheets(preview)}`,
    ]
  }
  if (Object.keys(faults).length > 0) throw invalid(faults)
  return preview
}

function otherSheets({ detected: { sheet, sheets } }: FilePreview): string {
  const others = (sheets ?? []).filter((name) => name !== sheet).slice(0, 30)
  return others.length === 0
    ? ''
    : `. Only the sheet ${sheet} was read; say with \`sheet\` if it is one of ${others.join(', ')}`
}

/** Makes an import and puts it into the queue, in one transaction. Throws `invalid` for lists that can't be joined. */
export async function startImport(trx: Trx, queue: Queue, caller: Caller, given: NewImport): Promise<ImportRow> {
  await holdLists(trx, caller.accountId, [...new Set(given.options.list_ids ?? [])], 'list_id')
  const row = await createImport(trx, caller, given)
  await enqueueImport(trx, queue, caller.accountId, row.id)
  return row
}
