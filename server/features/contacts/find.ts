import sql, { type Sql } from 'sql-template-tag'
import type { Database, Queryable, Trx } from '../../db/database.ts'
import { type Cursors, collection, type Page, type Position, pageOf } from '../../http/paging.ts'
import type { AccountSettings } from '../accounts/settings.ts'
import { compile } from '../criteria/compile.ts'
import { type FieldCache, type FieldSet, loadFields } from '../fields/field-set.ts'
import { contactOnWire, isNewerThan, READ_COLUMNS, type ReadRow, type View } from './contact.ts'
import { behind, type Order, orderBy, parseOrder, positionColumn } from './order.ts'
import { checkLists, type Selection } from './selection.ts'

interface Asked {
  page?: number
  per_page?: number
  cursor?: string
  sort?: string
  count?: string
}

type FoundRow = ReadRow & { position: string | null }

/** Reads contacts as the API shows them. */
export class ContactReader {
  readonly #db: Database
  readonly #fields: FieldCache
  readonly #settingsOf: (accountId: number) => Promise<AccountSettings>
  readonly #cursors: Cursors

  constructor(parts: {
    db: Database
    fieldCache: FieldCache
    settingsOf: (accountId: number) => Promise<AccountSettings>
    cursors: Cursors
  }) {
    this.#db = parts.db
    this.#fields = parts.fieldCache
    this.#settingsOf = parts.settingsOf
    this.#cursors = parts.cursors
  }

  fieldsOf(accountId: number): Promise<FieldSet> {
    return this.#fields.of(accountId)
  }

  /** A contact on the wire. */
  async show(accountId: number, row: ReadRow) {
    return (await this.#show(this.#db, accountId, [row]))[0]!
  }

  /** A contact that a transaction has just written, perhaps with fields that only this transaction knows yet. */
  async showIn(trx: Trx, accountId: number, row: ReadRow) {
    return (await this.#show(trx, accountId, [row]))[0]!
  }

  async #show(db: Queryable, accountId: number, rows: readonly ReadRow[]) {
    let fields = await this.#fields.of(accountId)
    if (rows.some((row) => isNewerThan(row, fields))) fields = await loadFields(db, accountId)
    const view: View = { fields, withNulls: (await this.#settingsOf(accountId)).null_fields === 'include' }
    return rows.map((row) => contactOnWire(row, view))
  }

  /** One page of a selection with its total. Throws `invalid` for a wrong order, cursor or list. */
  async page(accountId: number, selection: Selection, asked: Asked) {
    await checkLists(this.#db, accountId, selection.condition)
    const order = parseOrder(asked.sort, await this.#fields.of(accountId))
    const { time_zone: timeZone } = await this.#settingsOf(accountId)
    const where = sql`c.account_id = ${accountId} and ${compile(selection.condition, { timeZone })}`
    const scope = ['contacts', accountId, order.name, selection.q ?? '', where.values]
    const page = pageOf(asked)
    const { rows, total } =
      asked.cursor === undefined
        ? await this.#byNumber(where, order, page)
        : await this.#byCursor(where, order, page, this.#cursors.read(scope, asked.cursor))
    const last = rows[page.perPage - 1]
    const more = rows.length > page.perPage && last
    const next = more ? this.#cursors.write(scope, [last.position, last.id, total]) : null
    return collection(await this.#show(this.#db, accountId, rows.slice(0, page.perPage)), page, total, next)
  }

  async #byNumber(where: Sql, order: Order, page: Page) {
    const [rows, [counted]] = await Promise.all([
      this.#rows(where, order, page.perPage, page.offset),
      this.#db.query<{ total: number }>(sql`select count(*) as total from contacts as c where ${where}`),
    ])
    return { rows, total: counted!.total }
  }

  /** A cursor carries the total from the first page, so that every page costs the same. */
  async #byCursor(where: Sql, order: Order, page: Page, position: Position) {
    const rows = await this.#rows(sql`${where} and ${behind(order, position)}`, order, page.perPage, 0)
    return { rows, total: Number(position[2]) }
  }

  /** One row more than the page has, to know whether there is another page. */
  #rows(where: Sql, order: Order, perPage: number, offset: number): Promise<FoundRow[]> {
    return this.#db.query<FoundRow>(sql`
      select ${READ_COLUMNS}, position
      from (
        select c.*, ${positionColumn(order)} as position from contacts as c
        where ${where} order by ${orderBy(order)} limit ${perPage + 1} offset ${offset}
      ) as c
      order by ${orderBy(order)}`)
  }
}
