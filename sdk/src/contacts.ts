import { rowsOf } from './pages.ts'
import type { Answer, Body, CallOptions, Query, Transport } from './transport.ts'

export type Contact = Answer<'getContact'>['data']
export type Event = Answer<'listContactEvents'>['data'][number]

/** A contact's id, address, or `ext:` and external id. */
export type ContactName = string

export interface ContactQuery extends Query<'listContacts'> {
  /** Fields or attributes and what they are to be, or `{'company[contains]': 'Acme'}` with an operator of the criteria. */
  filters?: Record<string, string | number | boolean>
}

export type ContactChange = Body<'updateContact'>

export class Contacts {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** Enters someone new. An address that is there is an InvalidError; `upsert` takes either. */
  create = async (contact: Body<'createContact'>, options?: CallOptions): Promise<Contact> =>
    (await this.#transport.call('createContact', { body: contact }, options)).data

  get = async (contact: ContactName, options?: CallOptions): Promise<Contact> =>
    (await this.#transport.call('getContact', { path: { contact } }, options)).data

  /** Changes someone; what is not named stays. By an address that nobody has it enters them, as `upsert` does. */
  update = async (contact: ContactName, change: ContactChange, options?: CallOptions): Promise<Contact> =>
    (await this.#transport.call('updateContact', { path: { contact }, body: change }, options)).data

  /** Changes who has the address, or enters them. */
  upsert = async (
    email: string,
    change: ContactChange,
    options?: CallOptions,
  ): Promise<{ contact: Contact; created: boolean }> => {
    const { data, action } = await this.#transport.call(
      'updateContact',
      { path: { contact: email }, body: change },
      options,
    )
    return { contact: data, created: action === 'created' }
  }

  delete = (contact: ContactName, options?: CallOptions): Promise<undefined> =>
    this.#transport.call('deleteContact', { path: { contact } }, options)

  /** One page; `all` goes through them. */
  list = ({ filters, ...query }: ContactQuery = {}, options?: CallOptions): Promise<Answer<'listContacts'>> =>
    this.#transport.call('listContacts', { query: { ...filters, ...query } }, options)

  /** Everyone found, page by page as they are gone through; nobody comes twice. */
  all = (query: Omit<ContactQuery, 'page' | 'cursor'> = {}, options?: CallOptions): AsyncGenerator<Contact> =>
    rowsOf((cursor) => this.list({ per_page: 1000, ...query, ...(cursor === undefined ? {} : { cursor }) }, options))

  /** Who meets criteria. */
  search = (body: Body<'searchContacts'>, options?: CallOptions): Promise<Answer<'searchContacts'>> =>
    this.#transport.call('searchContacts', { body }, options)

  updateMany = (body: Body<'updateBatch'>, options?: CallOptions): Promise<Answer<'updateBatch'>> =>
    this.#transport.call('updateBatch', { body }, options)

  deleteMany = (contactNames: ContactName[], options?: CallOptions): Promise<Answer<'deleteBatch'>> =>
    this.#transport.call('deleteBatch', { body: { contact_ids: contactNames } }, options)

  /** Notes what someone did. */
  track = (
    contact: ContactName,
    name: string,
    params: Record<string, unknown> = {},
    options?: CallOptions,
  ): Promise<Answer<'createContactEvent'>> =>
    this.#transport.call('createContactEvent', { path: { contact }, body: { name, params } }, options)

  /** What happened to someone and what they did, the latest first. */
  events = (
    contact: ContactName,
    query: Omit<Query<'listContactEvents'>, 'page' | 'cursor'> = {},
    options?: CallOptions,
  ): AsyncGenerator<Event> =>
    rowsOf((cursor) =>
      this.#transport.call(
        'listContactEvents',
        { path: { contact }, query: { ...query, ...(cursor === undefined ? {} : { cursor }) } },
        options,
      ),
    )

  /** Everything held of someone, as one document. */
  export = (contact: ContactName, options?: CallOptions): Promise<Answer<'exportContact'>> =>
    this.#transport.call('exportContact', { path: { contact } }, options)

  /** Erases a person from everything, for good. The answer is a receipt; `erasure` tells when files have been looked through. */
  erase = (contact: ContactName, options?: CallOptions): Promise<Answer<'eraseContact'>> =>
    this.#transport.call('eraseContact', { path: { contact } }, options)

  /** The receipt of an erasure. */
  erasure = (id: string, options?: CallOptions): Promise<Answer<'getErasure'>> =>
    this.#transport.call('getErasure', { path: { id } }, options)
}
