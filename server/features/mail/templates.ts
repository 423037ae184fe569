import sql from 'sql-template-tag'
import type { Queryable, Trx } from '../../db/database.ts'
import type { Caller } from '../../http/caller.ts'
import { invalid, notFound } from '../../lib/app-error.ts'
import { audit } from '../accounts/audit.ts'
import { BUILT_IN } from './built-in.ts'
import { checkSource, type Source } from './render.ts'

export interface Template extends Source {
  name: string
  /** Counts up with each change; 0: as it comes with the service. */
  version: number
  at: Date | null
}

/** When a version was saved, and by whom. */
export interface TemplateVersion {
  version: number
  actor: string
  at: Date
}

const COLUMNS = sql`name, version, subject, html, text, at`

/** Whether it comes with the service, changed or not. */
export const isBuiltIn = (name: string): boolean => Object.hasOwn(BUILT_IN, name)

/** The template that counts now: the account's own, else a built-in one; or as it was in a version. Throws not_found. */
export async function findTemplate(
  db: Queryable,
  accountId: number,
  name: string,
  language: string,
  version?: number,
): Promise<Template> {
  const [own] = await db.query<Template>(sql`
    select ${COLUMNS} from templates
    where account_id = ${accountId} and name = ${name} and version = coalesce(${version ?? null}::int, version)
    order by version desc limit 1`)
  const found = own ?? (version === undefined || version === 0 ? builtIn(name, language) : undefined)
  if (!found) throw notFound()
  return found
}

/** The versions that were saved of a template, the latest first. */
export async function listVersions(
  db: Queryable,
  accountId: number,
  name: string,
  limit: number,
  offset: number,
): Promise<{ rows: TemplateVersion[]; total: number }> {
  const which = sql`account_id = ${accountId} and name = ${name}`
  const [rows, [total]] = await Promise.all([
    db.query<TemplateVersion>(sql`
      select version, actor, at from templates where ${which} order by version desc limit ${limit} offset ${offset}`),
    db.query<{ count: number }>(sql`select count(*) as count from templates where ${which}`),
  ])
  return { rows, total: total!.count }
}

/** All of them by name. */
export async function listTemplates(db: Queryable, accountId: number, language: string): Promise<Template[]> {
  const own = await db.query<Template>(sql`
    select distinct on (name) ${COLUMNS} from templates where account_id = ${accountId} order by name, version desc`)
  const others = Object.keys(BUILT_IN).filter((name) => !own.some((template) => template.name === name))
  return [...own, ...others.map((name) => builtIn(name, language)!)].sort((a, b) => (a.name < b.name ? -1 : 1))
}

function builtIn(name: string, language: string): Template | undefined {
  const source = isBuiltIn(name) ? (BUILT_IN[name]![language] ?? BUILT_IN[name]!.en) : undefined
  return source && { name, version: 0, at: null, ...source }
}

/** Throws `invalid` for a name that is taken, and for what can not be read as Liquid. */
export async function createTemplate(trx: Trx, caller: Caller, name: string, source: Source): Promise<Template> {
  await hold(trx, caller.accountId)
  const [taken] = await trx.query(
    sql`select name from templates where account_id = ${caller.accountId} and name = ${name} limit 1`,
  )
  if (taken || isBuiltIn(name)) throw invalid({ name: ['has already been taken'] })
  const saved = await save(trx, caller, name, source, 0)
  audit(trx, caller, 'template_created', { template: name })
  return saved
}

/** Changes what is given, as a new version. Throws not_found and `invalid`. */
export async function updateTemplate(
  trx: Trx,
  caller: Caller,
  name: string,
  patch: Partial<Source>,
  language: string,
): Promise<Template> {
  await hold(trx, caller.accountId)
  const { subject, html, text, version } = await findTemplate(trx, caller.accountId, name, language)
  const saved = await save(trx, caller, name, { subject, html, text, ...patch }, version)
  const changed = Object.keys(patch)
  audit(trx, caller, 'template_updated', { template: name, version: { from: version, to: saved.version }, changed })
  return saved
}

async function save(trx: Trx, { accountId, actor }: Caller, name: string, source: Source, after: number) {
  checkSource(source)
  const [row] = await trx.query<Template>(sql`
    insert into templates (account_id, name, version, subject, html, text, actor)
    values (${accountId}, ${name}, ${after + 1}, ${source.subject}, ${source.html}, ${source.text}, ${actor})
    returning ${COLUMNS}`)
  return row!
}

/** Removes an account's own template in all its versions; a built-in one is again as it comes. Throws not_found. */
export async function deleteTemplate(trx: Trx, caller: Caller, name: string): Promise<void> {
  const gone = await trx.query(
    sql`delete from templates where account_id = ${caller.accountId} and name = ${name} returning version`,
  )
  if (gone.length === 0 && !isBuiltIn(name)) throw notFound()
  if (gone.length > 0) audit(trx, caller, 'template_deleted', { template: name, versions: gone.length })
}

/** One at a time: two that save at once would both count up from the same version. */
async function hold(trx: Trx, accountId: number): Promise<void> {
  await trx.query(sql`select id from accounts where id = ${accountId} for no key update`)
}
