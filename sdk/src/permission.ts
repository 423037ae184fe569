import type { Contact, ContactName } from './contacts.ts'
import type { Answer, Body, CallOptions, Query, Transport } from './transport.ts'

/** What people have said about mail to them, and who may not be mailed. */
export class Permission {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** Somebody leaves by their own act, all mail or one list: only they can undo it. */
  unsubscribe = async (
    contact: ContactName,
    { list_id }: { list_id?: number } = {},
    options?: CallOptions,
  ): Promise<Contact> => {
    const body = list_id === undefined ? null : { list_id }
    return (await this.#transport.call('unsubscribeContact', { path: { contact }, body }, options)).data
  }

  /** Asks somebody whether they want mail: by a mail, or without `send_confirmation` by a link for you to give them. */
  resubscribe = (
    contact: ContactName,
    body: NonNullable<Body<'resubscribeContact'>> = {},
    options?: CallOptions,
  ): Promise<Answer<'resubscribeContact'>> =>
    this.#transport.call('resubscribeContact', { path: { contact }, body }, options)

  /** Every permission and its withdrawal, the latest first. */
  consents = (
    contact: ContactName,
    query: Query<'listConsents'> = {},
    options?: CallOptions,
  ): Promise<Answer<'listConsents'>> => this.#transport.call('listConsents', { path: { contact }, query }, options)

  /** Their own links, for mail to them; with a list the one to leave is bound to it. */
  links = (
    contact: ContactName,
    query: Query<'getContactLinks'> = {},
    options?: CallOptions,
  ): Promise<Answer<'getContactLinks'>> =>
    this.#transport.call('getContactLinks', { path: { contact }, query }, options)

  suppressions = (query: Query<'listSuppressions'> = {}, options?: CallOptions): Promise<Answer<'listSuppressions'>> =>
    this.#transport.call('listSuppressions', { query }, options)

  /** Addresses, their SHA-256, domains, or `*.` and a domain for all below it. */
  suppress = (body: Body<'addSuppressions'>, options?: CallOptions): Promise<Answer<'addSuppressions'>> =>
    this.#transport.call('addSuppressions', { body }, options)

  unsuppress = (id: number, options?: CallOptions): Promise<undefined> =>
    this.#transport.call('deleteSuppression', { path: { id } }, options)
}
