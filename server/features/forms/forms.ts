import { randomBytes } from 'node:crypto'
import sql from 'sql-template-tag'
import type { Queryable, Trx } from '../../db/database.ts'
import { violatedUnique } from '../../db/sqlstate.ts'
import type { Caller } from '../../http/caller.ts'
import { invalid, notFound } from '../../lib/app-error.ts'
import { parseId } from '../../lib/ids.ts'
import { audit } from '../accounts/audit.ts'
import type { FieldSet } from '../fields/field-set.ts'
import type { FieldUser, FieldUsers } from '../fields/usage.ts'
import type { ListUsesOf } from '../lists/smart.ts'
import type { ListUsers } from '../lists/usage.ts'
import type { TemplateUsers } from '../mail/usage.ts'
import { checkForm } from './check.ts'
import type { FormPatch, TextName } from './schemas.ts'
import { TEXT_NAMES } from './schemas.ts'

export interface FormField {
  field_id: number
  /** null: the name of the field. */
  label: string | null
  required: boolean
}

export interface FormSettings {
  name: string
  active: boolean
  double_opt_in: boolean
  list_ids: number[]
  fields: FormField[]
  texts: Partial<Record<TextName, string>>
  redirect_url: string | null
  frame_origins: string[]
  welcome_template: string | null
}

export interface FormRow extends FormSettings {
  account_id: number
  id: number
  token: string
  version: number
  created_at: Date
  updated_at: Date
}

const COLUMNS = sql`account_id, id, token, version, name, active, double_opt_in, list_ids, fields, texts, redirect_url, frame_origins,
  welcome_template, created_at, updated_at`

const TOKEN_BYTES = 12
const MOST_FORMS = 1000

/** What stands in a form's address behind `/f/`. */
export const publicIdOf = ({ account_id, token }: FormRow) => `${account_id}-${token}`

/** The form at an address; undefined where there is none. */
export async function findPublicForm(db: Queryable, publicId: string): Promise<FormRow | undefined> {
  const [, account = '', token] = /^(\d{1,16})-([\w-]{16})$/.exec(publicId) ?? []
  const accountId = parseId(account)
  if (accountId === null || token === undefined) return undefined
  const [row] = await db.query<FormRow>(
    sql`select ${COLUMNS} from forms where account_id = ${accountId} and token = ${token}`,
  )
  return row
}

/** Throws not_found. */
export async function findForm(db: Queryable, accountId: number, id: number, lock = false): Promise<FormRow> {
  const [row] = await db.query<FormRow>(sql`
    select ${COLUMNS} from forms where account_id = ${accountId} and id = ${id} ${lock ? sql`for no key update` : sql``}`)
  if (!row) throw notFound()
  return row
}

/** By name. */
export function listForms(db: Queryable, accountId: number): Promise<FormRow[]> {
  return db.query<FormRow>(sql`select ${COLUMNS} from forms where account_id = ${accountId} order by lower(name), id`)
}

const EMPTY: FormSettings = {
  name: '',
  active: true,
  double_opt_in: true,
  list_ids: [],
  fields: [],
  texts: {},
  redirect_url: null,
  frame_origins: [],
  welcome_template: null,
}

/** Throws `invalid` with every fault. */
export async function createForm(trx: Trx, caller: Caller, input: FormPatch): Promise<FormRow> {
  const { accountId } = caller
  const form = await checkForm(trx, accountId, EMPTY, input)
  const [counted] = await trx.query<{ count: number }>(
    sql`select count(*) as count from forms where account_id = ${accountId}`,
  )
  if (counted!.count >= MOST_FORMS) throw invalid({ base: [`an account can have at most ${MOST_FORMS} forms`] })
  const token = randomBytes(TOKEN_BYTES).toString('base64url')
  const [row] = await trx
    .query<FormRow>(sql`
      insert into forms (account_id, token, name, active, double_opt_in, list_ids, fields, texts, redirect_url, frame_origins, welcome_template)
      values (${accountId}, ${token}, ${form.name}, ${form.active}, ${form.double_opt_in}, ${form.list_ids}::bigint[],
        ${JSON.stringify(form.fields)}, ${JSON.stringify(form.texts)}, ${form.redirect_url}, ${form.frame_origins}, ${form.welcome_template})
      returning ${COLUMNS}`)
    .catch(refuseTakenName)
  audit(trx, caller, 'form_created', { form_id: row!.id })
  return row!
}

/** Changes what is given, as its next version. Throws not_found and `invalid`. */
export async function updateForm(trx: Trx, caller: Caller, id: number, input: FormPatch): Promise<FormRow> {
  const { accountId } = caller
  const form = await checkForm(trx, accountId, await findForm(trx, accountId, id, true), input)
  const [row] = await trx
    .query<FormRow>(sql`
      update forms set version = version + 1, name = ${form.name}, active = ${form.active}, double_opt_in = ${form.double_opt_in},
        list_ids = ${form.list_ids}::bigint[], fields = ${JSON.stringify(form.fields)}, texts = ${JSON.stringify(form.texts)},
        redirect_url = ${form.redirect_url}, frame_origins = ${form.frame_origins}, welcome_template = ${form.welcome_template},
        updated_at = statement_timestamp()
      where account_id = ${accountId} and id = ${id}
      returning ${COLUMNS}`)
    .catch(refuseTakenName)
  audit(trx, caller, 'form_updated', { form_id: id, version: row!.version })
  return row!
}

/** Removes a form; who has come by it stays. Throws not_found. */
export async function deleteForm(trx: Trx, caller: Caller, id: number): Promise<FormRow> {
  const [row] = await trx.query<FormRow>(
    sql`delete from forms where account_id = ${caller.accountId} and id = ${id} returning ${COLUMNS}`,
  )
  if (!row) throw notFound()
  trx.send(sql`delete from form_counts where account_id = ${caller.accountId} and form_id = ${id}`)
  audit(trx, caller, 'form_deleted', { form_id: id })
  return row
}

function refuseTakenName(error: unknown): never {
  throw violatedUnique(error) === 'forms_name' ? invalid({ name: ['has already been taken'] }, error) : error
}

/** A form as the API answers it, with the merge tags of now. */
export function formOnWire(row: FormRow, fields: FieldSet, base: string) {
  const { id, version, name, active, double_opt_in, list_ids, redirect_url, frame_origins, welcome_template } = row
  const texts = Object.fromEntries(TEXT_NAMES.map((text) => [text, row.texts[text] ?? null]))
  return {
    id,
    version,
    url: `${base}/f/${publicIdOf(row)}`,
    ...{ name, active, double_opt_in, list_ids, redirect_url, frame_origins, welcome_template },
    fields: row.fields.flatMap(({ field_id, label, required }) => {
      const field = fields.numbered(field_id)
      return field ? [{ field: field.mergeTag, label, required }] : []
    }),
    ...(texts as Record<TextName, string | null>),
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  }
}

/** The forms that ask for a field. */
export async function formsUsingField(db: Queryable, accountId: number, fieldId: number): Promise<string[]> {
  const rows = await db.query<{ name: string }>(sql`
    select name from forms where account_id = ${accountId} and fields @> jsonb_build_array(jsonb_build_object('field_id', ${fieldId}::bigint))
    order by name`)
  return named('field', rows)
}

/** The forms that ask for fields. */
export const formsWithFields: FieldUsers = async (db, { accountId }) => {
  const rows = await db.query<Omit<FieldUser, 'kind'>>(sql`
    select id, name, array(select (asked ->> 'field_id')::bigint from jsonb_array_elements(fields) as asked) as fields
    from forms where account_id = ${accountId} order by lower(name), id`)
  return rows.map((row) => ({ kind: 'form', ...row }))
}

/** The forms by which people join these lists. */
export const formsUsingLists: ListUsesOf = async (db, accountId, listIds) => {
  const rows = await db.query<{ name: string }>(sql`
    select name from forms where account_id = ${accountId} and list_ids && ${[...listIds]}::bigint[] order by name`)
  return named('list', rows)
}

/** The forms by which people join a list. */
export const formsWithList: ListUsers = async (db, { accountId }, listId) => {
  const rows = await db.query<{ id: number; name: string }>(sql`
    select id, name from forms where account_id = ${accountId} and list_ids @> array[${listId}::bigint] order by lower(name), id`)
  return rows.map((row) => ({ kind: 'form', ...row }))
}

/** The forms that welcome people by a template. */
export const formsWithTemplate: TemplateUsers = async (db, accountId, template) => {
  const rows = await db.query<{ id: number; name: string }>(sql`
    select id, name from forms where account_id = ${accountId} and welcome_template = ${template} order by lower(name), id`)
  return rows.map((row) => ({ kind: 'form', ...row }))
}

function named(what: string, rows: readonly { name: string }[]): string[] {
  if (rows.length === 0) return []
  return [`This ${what} is used in the form(s): ${rows.map(({ name }) => name).join(', ')}. Change these first.`]
}
