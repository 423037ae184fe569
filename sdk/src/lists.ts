import type { Contact, ContactName } from './contacts.ts'
import { rowsOf } from './pages.ts'
import type { Answer, Body, CallOptions, Query, Transport } from './transport.ts'

export type List = Answer<'getList'>

export class Lists {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** All lists; with `search` those whose name begins so, in any letter case. */
  list = (query: Query<'listLists'> = {}, options?: CallOptions): Promise<Answer<'listLists'>> =>
    this.#transport.call('listLists', { query }, options)

  /** With `criteria` it is a smart list. */
  create = (list: Body<'createList'>, options?: CallOptions): Promise<Answer<'createList'>> =>
    this.#transport.call('createList', { body: list }, options)

  get = (id: number, options?: CallOptions): Promise<List> =>
    this.#transport.call('getList', { path: { list_id: id } }, options)

  update = (id: number, change: Body<'updateList'>, options?: CallOptions): Promise<Answer<'updateList'>> =>
    this.#transport.call('updateList', { path: { list_id: id }, body: change }, options)

  delete = (id: number, options?: CallOptions): Promise<undefined> =>
    this.#transport.call('deleteList', { path: { list_id: id } }, options)

  merge = (id: number, body: Body<'mergeLists'>, options?: CallOptions): Promise<Answer<'mergeLists'>> =>
    this.#transport.call('mergeLists', { path: { list_id: id }, body }, options)

  /** At most 1,000 at once. Who has left the list by their own act stays out of it, and is counted. */
  addContacts = (id: number, contacts: ContactName[], options?: CallOptions): Promise<Answer<'addMembers'>> =>
    this.#transport.call('addMembers', { path: { list_id: id }, body: { contact_ids: contacts } }, options)

  removeContacts = (id: number, contacts: ContactName[], options?: CallOptions): Promise<Answer<'removeMembers'>> =>
    this.#transport.call('removeMembers', { path: { list_id: id }, body: { contact_ids: contacts } }, options)

  /** How many entered and left, and were in it, each of the last so many days. */
  growth = (id: number, query: Query<'getListGrowth'> = {}, options?: CallOptions): Promise<Answer<'getListGrowth'>> =>
    this.#transport.call('getListGrowth', { path: { list_id: id }, query }, options)

  /** Who entered and who left, the latest first, page by page as they are gone through. */
  moves = (
    id: number,
    query: Omit<Query<'getListMoves'>, 'cursor'> = {},
    options?: CallOptions,
  ): AsyncGenerator<Answer<'getListMoves'>['data'][number]> =>
    rowsOf((cursor) =>
      this.#transport.call(
        'getListMoves',
        { path: { list_id: id }, query: { ...query, ...(cursor === undefined ? {} : { cursor }) } },
        options,
      ),
    )

  /** Everyone in a list, page by page as they are gone through. */
  contacts = (
    id: number,
    query: Omit<Query<'listMembers'>, 'page' | 'cursor'> = {},
    options?: CallOptions,
  ): AsyncGenerator<Contact> =>
    rowsOf((cursor) =>
      this.#transport.call(
        'listMembers',
        { path: { list_id: id }, query: { per_page: 1000, ...query, ...(cursor === undefined ? {} : { cursor }) } },
        options,
      ),
    )
}
