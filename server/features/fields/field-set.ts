import sql from 'sql-template-tag'
import type { Queryable } from '../../db/database.ts'
import { Recent } from '../../db/recent.ts'
import { AppError } from '../../lib/app-error.ts'
import type { FieldDefinition, FieldType, FieldValue } from './definition.ts'

export interface FieldRow {
  id: number
  account_id: number
  name: string
  merge_tag: string
  key: string
  type: FieldType
  required: boolean
  editable: boolean
  min: number | null
  max: number | null
  options: string[] | null
  default_value: FieldValue | null
  format: string | null
  converting_to: FieldType | null
  removed_at: Date | null
  created_at: Date
  updated_at: Date
}

export const FIELD_COLUMNS = sql`
  id, account_id, name, merge_tag, key, type, required, editable, min, max, options, default_value, format, converting_to, removed_at,
  created_at, updated_at`

export function fieldFrom(row: FieldRow): FieldDefinition {
  return {
    id: row.id,
    accountId: row.account_id,
    name: row.name,
    mergeTag: row.merge_tag,
    key: row.key,
    type: row.type,
    required: row.required,
    editable: row.editable,
    min: row.min,
    max: row.max,
    options: row.options,
    default: row.default_value,
    format: row.format,
    convertingTo: row.converting_to,
    removedAt: row.removed_at,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}

/** An account's fields as they are at one moment: by merge tag without regard to case, by key, by id. */
export class FieldSet {
  /** Those in use, in the order they were made. */
  readonly active: readonly FieldDefinition[]
  readonly #byTag: Map<string, FieldDefinition>
  readonly #byKey: Map<string, FieldDefinition>

  /** @param all The removed ones too, whose keys may still stand under contacts and in old events. */
  constructor(all: readonly FieldDefinition[]) {
    this.active = all.filter((field) => field.removedAt === null)
    this.#byTag = new Map(this.active.map((field) => [field.mergeTag.toLowerCase(), field]))
    this.#byKey = new Map(all.map((field) => [field.key, field]))
  }

  tagged(mergeTag: string): FieldDefinition | undefined {
    return this.#byTag.get(mergeTag.toLowerCase())
  }

  keyed(key: string): FieldDefinition | undefined {
    return this.#byKey.get(key)
  }

  /** One in use. */
  numbered(id: number): FieldDefinition | undefined {
    return this.active.find((field) => field.id === id)
  }

  get mergeTags(): string[] {
    return this.active.map((field) => field.mergeTag)
  }
}

export async function loadFields(db: Queryable, accountId: number): Promise<FieldSet> {
  const rows = await db.query<FieldRow>(
    sql`select ${FIELD_COLUMNS} from fields where account_id = ${accountId} order by id`,
  )
  return new FieldSet(rows.map(fieldFrom))
}

/** The field in use with that id, locked when `lock` is set. */
export async function readField(
  db: Queryable,
  accountId: number,
  id: number,
  lock: boolean,
): Promise<FieldDefinition | undefined> {
  const [row] = await db.query<FieldRow>(sql`
    select ${FIELD_COLUMNS} from fields
    where account_id = ${accountId} and id = ${id} and removed_at is null ${lock ? sql`for update` : sql``}`)
  return row && fieldFrom(row)
}

const FIELDS_CACHED_MS = 5000

/**
 * What must not begin while any process may still write by an old definition waits this long: the time that definitions are
 * cached, and 2 s for the transactions that were under way with them at its end, which take milliseconds.
 */
export const FIELDS_SETTLED_MS = FIELDS_CACHED_MS + 2000

/** The accounts' fields, at most 5 s old; `forget` after this process has changed them. */
export class FieldCache {
  readonly #recent: Recent<number, FieldSet>

  constructor(db: Queryable) {
    this.#recent = new Recent((accountId) => loadFields(db, accountId), { ttlMs: FIELDS_CACHED_MS, max: 2000 })
  }

  of(accountId: number): Promise<FieldSet> {
    return this.#recent.get(accountId)
  }

  /**
   * What a caller asks by the names of fields. What is refused is looked at once more with fields read anew: an import, or
   * another process, may have defined one a moment ago. Throws what `ask` throws.
   */
  async understood<Asked>(accountId: number, ask: (fields: FieldSet) => Asked | Promise<Asked>): Promise<Asked> {
    try {
      return await ask(await this.of(accountId))
    } catch (error) {
      if (!(error instanceof AppError && error.code === 'invalid')) throw error
      this.forget(accountId)
      return ask(await this.of(accountId))
    }
  }

  forget(accountId: number): void {
    this.#recent.forget(accountId)
  }
}
