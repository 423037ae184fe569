import type { Answer, ImportOptions } from '@rollcall/sdk'
import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import type { OpenAccount } from '../../api/client.ts'
import type { Field } from '../../api/queries.ts'
import * as en from '../../strings/en.ts'

export type Preview = Answer<'previewImport'>
export type PreviewColumn = Preview['columns'][number]

/** How the file is to be read; what is not given is found by its content. */
export type Reading = Pick<ImportOptions, 'delimiter' | 'encoding' | 'sheet' | 'header'>

/** Where columns go, by their names, where the user has said so. */
export type Mapping = Record<string, string | null>

/** Sent for the preview; a file of text is cut at the end of a line before it. */
const LOOKED_AT_BYTES = 512 * 1024

const files = new WeakMap<File, number>()
let seen = 0

/** Two files of one name are two files. */
function keyOf(file: File): number {
  const key = files.get(file) ?? ++seen
  files.set(file, key)
  return key
}

export const previewQuery = ({ id, api }: OpenAccount, file: File, reading: Reading, mapping: Mapping) =>
  queryOptions({
    queryKey: [id, 'import-preview', keyOf(file), reading, mapping],
    queryFn: async ({ signal }) =>
      api.imports.preview(
        await beginningOf(file),
        { ...reading, field_mapping: mapping, file_name: file.name },
        { signal },
      ),
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: keepPreviousData,
  })

/** The first part of a file of lines; what is packed can only be read as a whole. */
async function beginningOf(file: File): Promise<Blob> {
  if (file.size <= LOOKED_AT_BYTES || !/\.(csv|tsv|txt|ndjson|jsonl)$/i.test(file.name)) return file
  const bytes = new Uint8Array(await file.slice(0, LOOKED_AT_BYTES).arrayBuffer())
  const end = bytes.lastIndexOf(10)
  return end < 0 ? file : file.slice(0, end + 1)
}

type TargetName = keyof typeof en.imports.targets

const CONTACT: readonly TargetName[] = ['email', 'external_id', 'tags', 'lists', 'state', 'full_name', 'created_at']
const PERMISSION: readonly TargetName[] = ['consent_at', 'consent_ip', 'consent_source']

export const LEAVE_OUT = ''
export const NEW_FIELD = '+'

/** What a column may go to, for a select; `found` is where the service would put it. */
export function targetGroups(fields: readonly Field[], found: string | null) {
  const named = (names: readonly TargetName[]) =>
    names.map((name) => ({ value: name as string, label: en.imports.targets[name] }))
  const known = new Set<string>([...CONTACT, ...PERMISSION, ...fields.map(({ merge_tag }) => merge_tag)])
  const made = found !== null && !known.has(found) ? [{ value: found, label: en.imports.newFieldNamed(found) }] : []
  return [
    { group: '', items: [{ value: LEAVE_OUT, label: en.imports.leaveOut }] },
    { group: en.imports.groupContact, items: named(CONTACT) },
    {
      group: en.imports.groupFields,
      items: fields.map(({ merge_tag, name }) => ({ value: merge_tag, label: name })),
    },
    { group: en.imports.groupPermission, items: named(PERMISSION) },
    { group: en.imports.groupNew, items: [...made, { value: NEW_FIELD, label: en.imports.newField }] },
  ].filter(({ items }) => items.length > 0)
}

const FITTING: Readonly<Record<Field['type'], readonly string[]>> = {
  text: ['email', 'text', 'integer', 'number', 'date', 'boolean'],
  select: ['email', 'text', 'integer', 'number', 'date', 'boolean'],
  integer: ['integer'],
  number: ['integer', 'number'],
  date: ['date'],
  boolean: ['boolean', 'integer'],
}

/** Why a column does not look as if its values fitted where they go. */
export function misfit(column: PreviewColumn, fields: readonly Field[]): string | undefined {
  const { kind, goes_to: target } = column
  if (kind === null || target === null) return undefined
  if (target === 'email' && kind !== 'email') return misfitText(kind, en.imports.kinds.email)
  const field = fields.find(({ merge_tag }) => merge_tag === target)
  if (!field || FITTING[field.type].includes(kind)) return undefined
  return misfitText(kind, en.imports.kinds[field.type])
}

function misfitText(kind: string, type = ''): string {
  return en.imports.mismatch(en.imports.kinds[kind] ?? kind, type)
}
