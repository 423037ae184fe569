import sql, { type Sql } from 'sql-template-tag'
import type { Database, Queryable, Trx } from '../../db/database.ts'
import { type Cursors, collection, pageOf } from '../../http/paging.ts'
import { notFound } from '../../lib/app-error.ts'
import type { ContactRef } from '../../lib/contact-ref.ts'
import { normaliseEmail } from '../../lib/email.ts'
import type { AccountSettings } from '../accounts/settings.ts'
import { expandLists } from '../criteria/expand.ts'
import { explain } from '../criteria/explain.ts'
import type { Condition } from '../criteria/parse.ts'
import { type FieldCache, type FieldSet, loadFields } from '../fields/field-set.ts'
import { linkBase, type MailRoom } from '../mail/mail-room.ts'
import { linksOf } from '../subscriptions/links.ts'
import { contactOnWire, isNewerThan, READ_COLUMNS, type ReadRow, readContact, type View } from './contact.ts'
import { filterOf } from './filter.ts'
import { behind, NEWEST_FIRST, type Order, parseOrder } from './order.ts'
import { countIn, type Filter, type Found, findPage } from './page.ts'
import { isEveryone, type Selection } from './selection.ts'
import { smartListsOf } from './smart-lists.ts'
import { findMembers, oneSmartList } from './told.ts'

interface Asked {
  page?: number
  per_page?: number
  cursor?: string
  sort?: string
  count?: 'exact' | 'capped' | 'estimated'
  /** As the parameter `include`. */
  include?: string
  /** What `links` leave: one list, or all mail. */
  linksTo?: number | null
}

/** Where the newest-first order begins: for a page that the exact address fills alone. */
const BEFORE_ALL = { id: 'ffffffff-ffff-ffff-ffff-ffffffffffff', position: null }

/** Reads contacts as the API shows them. */
export class ContactReader {
  readonly #db: Database
  readonly #fields: FieldCache
  readonly #settingsOf: (accountId: number) => Promise<AccountSettings>
  readonly #cursors: Cursors
  readonly #room: MailRoom

  constructor(parts: {
    db: Database
    fieldCache: FieldCache
    settingsOf: (accountId: number) => Promise<AccountSettings>
    cursors: Cursors
    room: MailRoom
  }) {
    this.#db = parts.db
    this.#fields = parts.fieldCache
    this.#settingsOf = parts.settingsOf
    this.#cursors = parts.cursors
    this.#room = parts.room
  }

  fieldsOf(accountId: number): Promise<FieldSet> {
    return this.#fields.of(accountId)
  }

  /** What a caller asks by the names of fields, also of one that was defined a moment ago. Throws what `ask` throws. */
  understood<Asked>(accountId: number, ask: (fields: FieldSet) => Asked): Promise<Asked> {
    return this.#fields.understood(accountId, ask)
  }

  /** The same, read anew when one of these fields is not among them. */
  async fieldsFor(db: Queryable, accountId: number, ids: readonly number[]): Promise<FieldSet> {
    const fields = await this.#fields.of(accountId)
    return ids.every((id) => fields.numbered(id)) ? fields : loadFields(db, accountId)
  }

  /** How many are in a smart list now. */
  async countMembers(accountId: number, listId: number): Promise<number> {
    const none = { limit: 0, offset: 0, behind: undefined }
    const found =
      (await this.#members(accountId, listId, NEWEST_FIRST, none)) ??
      (await findPage(this.#db, {
        ...{ accountId, filter: await this.#criteriaOf(this.#db, accountId, listId), q: undefined },
        ...{ order: NEWEST_FIRST, counting: 'exact', ...none },
      }))
    return found.total!
  }

  /** The same by running its criteria: of one that this transaction has made or changed. */
  async countList(trx: Trx, accountId: number, listId: number): Promise<number> {
    return countIn(trx, accountId, await this.#criteriaOf(trx, accountId, listId))
  }

  async #criteriaOf(db: Queryable, accountId: number, listId: number): Promise<Filter> {
    const named: Condition = { is: 'list', listIds: [listId] }
    return this.#filter(accountId, await expandLists(db, accountId, named, await this.#fields.of(accountId)))
  }

  async #members(
    accountId: number,
    listId: number,
    { descending }: Order,
    rows: { limit: number; offset: number; behind: Sql | undefined },
  ): Promise<Found | undefined> {
    const { time_zone: timeZone } = await this.#settingsOf(accountId)
    const fields = await this.#fields.of(accountId)
    return findMembers(this.#db, { accountId, listId, fields, timeZone, descending, ...rows })
  }

  /** Why a condition holds for a contact, or does not. Throws not_found. */
  async explain(accountId: number, condition: Condition, ref: ContactRef) {
    const contact = await readContact(this.#db, accountId, ref)
    if (!contact) throw notFound()
    const expanded = await expandLists(this.#db, accountId, condition, await this.#fields.of(accountId), 'criteria')
    const { time_zone: timeZone } = await this.#settingsOf(accountId)
    const explanation = await explain(this.#db, expanded, { accountId, contactId: contact.id, timeZone })
    if (!explanation) throw notFound()
    const { outcome: matches, changes_at } = explanation
    return { contact_id: contact.id, matches, changes_at, explanation }
  }

  /** Adds to contacts on the wire what `include` asks for; `links` leave one list, or all mail where none is named. */
  async including<Shown extends { id: string; email: string }>(
    accountId: number,
    contacts: readonly Shown[],
    include: string | undefined,
    listId: number | null,
  ) {
    const asked = include?.split(',') ?? []
    const withLists = asked.includes('smart_lists') ? await this.withSmartLists(accountId, contacts) : [...contacts]
    if (!asked.includes('links')) return withLists
    const base = linkBase(this.#room)
    return withLists.map((contact) => {
      const leaving = { accountId, contactId: contact.id, email: storedEmail(contact.email), listId }
      return { ...contact, links: linksOf(base, this.#room.keyring, leaving) }
    })
  }

  /** Adds to contacts on the wire the ids of the smart lists that each is in now. */
  async withSmartLists<Shown extends { id: string }>(accountId: number, contacts: readonly Shown[]) {
    const ids = contacts.map((contact) => contact.id)
    const found = await smartListsOf(this.#db, accountId, ids)
    return contacts.map((contact) => ({ ...contact, smart_lists: found.get(contact.id) ?? [] }))
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

  /**
   * One page of a selection with its total. With a search text in the usual order, whoever has exactly that address stands
   * first. Throws `invalid` for a wrong order, cursor or list.
   */
  async page(accountId: number, selection: Selection, asked: Asked) {
    const fields = await this.#fields.of(accountId)
    const condition = await expandLists(this.#db, accountId, selection.condition, fields)
    const order = await this.understood(accountId, (known) => parseOrder(asked.sort, known))
    const filter = await this.#compiled(accountId, condition)
    const scope = ['contacts', accountId, order.name, selection.q ?? '', filter?.few.text, filter?.few.values]
    const page = pageOf(asked)
    const from = asked.cursor === undefined ? undefined : this.#cursors.read(scope, asked.cursor)
    const exact = order === NEWEST_FIRST ? await this.#withAddress(accountId, selection.q, filter?.few) : undefined
    const besides = (part = sql`true`) => sql`${part} and c.email <> ${exact?.email}`
    const others = exact ? { ...filter, few: besides(filter?.few), set: besides(filter?.set) } : filter
    const onTop = exact && page.page === 1 && !from ? [exact.id] : []

    const wanted = {
      behind: from && behind(order, from),
      limit: page.perPage - onTop.length + 1, // one more, to know whether there is another page
      offset: from ? 0 : Math.max(0, page.offset - (exact && page.page > 1 ? 1 : 0)),
    }
    const list = selection.q === undefined && !order.by ? oneSmartList(condition) : undefined
    const members = list === undefined ? undefined : await this.#members(accountId, list, order, wanted)
    const found =
      members ??
      (await findPage(this.#db, {
        accountId,
        filter: others,
        q: selection.q,
        order,
        ...wanted,
        counting: from ? 'none' : (asked.count ?? (selection.q === undefined && !filter ? 'exact' : 'capped')),
      }))
    const places = found.places.slice(0, page.perPage - onTop.length)
    // A cursor carries the total from the first page, so that every page costs the same.
    const [total, capped] = from
      ? [Number(from[2]), from[3] === true]
      : [found.total! + (exact && !found.capped ? 1 : 0), found.capped]
    const last = places.at(-1) ?? (onTop.length > 0 ? BEFORE_ALL : undefined)
    const next =
      found.places.length > places.length && last
        ? this.#cursors.write(scope, [last.position, last.id, total, capped])
        : null
    const rows = await this.#rows(accountId, [...onTop, ...places.map((place) => place.id)])
    const shown = await this.#show(this.#db, accountId, rows)
    const data = await this.including(accountId, shown, asked.include, asked.linksTo ?? null)
    return {
      ...collection(data, page, total, next, capped),
      ...(found.isEstimated ? { total_is_estimated: true } : {}),
    }
  }

  /** undefined for a condition that everyone meets. */
  async #compiled(accountId: number, condition: Condition): Promise<Filter | undefined> {
    return isEveryone(condition) ? undefined : this.#filter(accountId, condition)
  }

  async #filter(accountId: number, condition: Condition): Promise<Filter> {
    const { time_zone: timeZone } = await this.#settingsOf(accountId)
    return filterOf(accountId, condition, { timeZone })
  }

  async #withAddress(
    accountId: number,
    q: string | undefined,
    filter: Sql | undefined,
  ): Promise<{ id: string; email: string } | undefined> {
    const read = q === undefined ? undefined : normaliseEmail(q)
    if (!read?.ok) return undefined
    const [row] = await this.#db.query<{ id: string; email: string }>(sql`
      select c.id, c.email from contacts as c where c.account_id = ${accountId} and c.email = ${read.email} ${filter ? sql`and ${filter}` : sql``}`)
    return row
  }

  /** These contacts, in this order; those that have gone meanwhile are left out. */
  async #rows(accountId: number, ids: readonly string[]): Promise<ReadRow[]> {
    if (ids.length === 0) return []
    return this.#db.query<ReadRow>(sql`
      select ${READ_COLUMNS} from unnest(${[...ids]}::uuid[]) with ordinality as wanted (id, nth)
      join contacts as c on c.account_id = ${accountId} and c.id = wanted.id
      order by wanted.nth`)
  }
}

/** The form in which an address is stored, of one that is shown. */
function storedEmail(shown: string): string {
  const read = normaliseEmail(shown)
  return read.ok ? read.email : shown
}
