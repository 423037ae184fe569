import sql from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'
import { invalid, type Messages, tell, together } from '../../lib/app-error.ts'
import { isStorable } from '../../lib/text.ts'
import { holdLists } from '../contacts/memberships.ts'
import { type FieldSet, loadFields } from '../fields/field-set.ts'
import { CONFIRM_REQUEST, CONFIRM_SUBSCRIPTION } from '../mail/built-in.ts'
import { findTemplate } from '../mail/templates.ts'
import type { FormField, FormSettings } from './forms.ts'
import { type FormPatch, TEXT_NAMES } from './schemas.ts'

const UNSTORABLE = 'holds a character that text can not have'

/** What a form is once it is changed so. Throws `invalid` with every fault. Its lists and fields are held. */
export async function checkForm(
  trx: Trx,
  accountId: number,
  before: FormSettings,
  patch: FormPatch,
): Promise<FormSettings> {
  // Held before it is looked whether they are still in use: whoever removes one of them meanwhile is waited for.
  await trx.query(sql`
    select id from fields where account_id = ${accountId} and id = any(${before.fields.map((field) => field.field_id)}::bigint[])
    order by id for share`)
  const known = await loadFields(trx, accountId)
  const listIds = [...new Set(patch.list_ids ?? before.list_ids)]
  const [name, texts, fields, , redirect, origins, welcome] = await together(
    () => checkName(patch.name ?? before.name),
    () => checkTexts(before.texts, patch),
    () => checkFields(trx, accountId, patch.fields ? fieldsFrom(patch.fields, known) : before.fields, known),
    () => holdLists(trx, accountId, listIds),
    () => (patch.redirect_url === undefined ? before.redirect_url : checkRedirect(patch.redirect_url)),
    () => (patch.frame_origins === undefined ? before.frame_origins : checkOrigins(patch.frame_origins)),
    () =>
      patch.welcome_template === undefined
        ? before.welcome_template
        : checkTemplate(trx, accountId, patch.welcome_template),
  )
  return {
    ...{ name, texts, fields, list_ids: listIds, redirect_url: redirect, frame_origins: origins },
    active: patch.active ?? before.active,
    double_opt_in: patch.double_opt_in ?? before.double_opt_in,
    welcome_template: welcome,
  }
}

function checkName(given: string): string {
  const name = given.trim()
  if (name === '') throw invalid({ name: ["can't be blank"] })
  if (!isStorable(name)) throw invalid({ name: [UNSTORABLE] })
  return name
}

export function checkTexts(before: FormSettings['texts'], patch: FormPatch): FormSettings['texts'] {
  const texts = { ...before }
  const faults: Messages = {}
  for (const name of TEXT_NAMES) {
    const given = patch[name]
    if (given === undefined) continue
    if (given !== null && !isStorable(given)) tell(faults, name, UNSTORABLE)
    if (given?.trim()) texts[name] = given.trim()
    else delete texts[name]
  }
  if (Object.keys(faults).length > 0) throw invalid(faults)
  return texts
}

export function fieldsFrom(given: NonNullable<FormPatch['fields']>, known: FieldSet): FormField[] {
  const faults: Messages = {}
  const fields = given.flatMap(({ field: tag, label, required = false }) => {
    const field = known.tagged(tag)
    if (!field) tell(faults, 'fields', `no field has the merge tag ${tag}: there are ${known.mergeTags.join(', ')}`)
    if (label && !isStorable(label)) tell(faults, 'fields', UNSTORABLE)
    return field ? [{ field_id: field.id, label: label?.trim() || null, required: required || field.required }] : []
  })
  if (Object.keys(faults).length > 0) throw invalid(faults)
  return fields
}

async function checkFields(trx: Trx, accountId: number, fields: FormField[], known: FieldSet): Promise<FormField[]> {
  const ids = fields.map((field) => field.field_id)
  const held = await trx.query<{ id: number }>(sql`
    select id from fields where account_id = ${accountId} and id = any(${ids}::bigint[]) and removed_at is null order by id for share`)
  const faults: Messages = {}
  if (new Set(ids).size < ids.length) tell(faults, 'fields', 'names the same field twice')
  if (held.length < new Set(ids).size) tell(faults, 'fields', 'names a field that is being deleted')
  for (const field of known.active)
    if (field.required && field.default === null && !ids.includes(field.id))
      tell(faults, 'fields', `must ask for ${field.mergeTag}, which nobody can be without`)
  if (Object.keys(faults).length > 0) throw invalid(faults)
  return fields
}

function checkRedirect(given: string | null): string | null {
  if (given === null || given.trim() === '') return null
  const url = URL.canParse(given.trim()) ? new URL(given.trim()) : undefined
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '')
    throw invalid({ redirect_url: ['must be an address such as https://www.example.com/thanks'] })
  return url.href
}

function checkOrigins(given: readonly string[]): string[] {
  const wrong = given.filter((origin) => !isOrigin(origin))
  if (wrong.length > 0)
    throw invalid({
      frame_origins: wrong.map(
        (origin) => `must be origins such as https://www.example.com, without a path: ${origin}`,
      ),
    })
  return [...new Set(given)]
}

/** What may stand in a Content-Security-Policy as it is: scheme, host and port alone. */
function isOrigin(text: string): boolean {
  return /^https?:\/\/[a-z0-9.-]+(:\d{1,5})?$/.test(text) && URL.canParse(text) && new URL(text).origin === text
}

async function checkTemplate(trx: Trx, accountId: number, name: string | null): Promise<string | null> {
  if (name === null) return null
  if (name === CONFIRM_SUBSCRIPTION || name === CONFIRM_REQUEST)
    throw invalid({ welcome_template: ['asks to confirm, and welcomes nobody'] })
  await findTemplate(trx, accountId, name, 'en').catch(() => {
    throw invalid({ welcome_template: [`there is no template ${name}`] })
  })
  return name
}
