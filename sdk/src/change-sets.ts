import { rowsByNumber, rowsOf } from './pages.ts'
import type { Answer, Body, CallOptions, Transport } from './transport.ts'

export type ChangeSet = Answer<'getChangeSet'>
export type ChangedContact = Answer<'getDiff'>['data'][number]

/** Acts on many people: imports, batches, bulk acts, and what took them back. */
export class ChangeSets {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** The latest first, page by page as they are gone through. */
  all = (options?: CallOptions): AsyncGenerator<ChangeSet> =>
    rowsByNumber((page) => this.#transport.call('listChangeSets', { query: { page } }, options))

  get = (id: number, options?: CallOptions): Promise<ChangeSet> =>
    this.#transport.call('getChangeSet', { path: { id } }, options)

  /** What was, or by a trial would be, done to each person. */
  diff = (id: number, options?: CallOptions): AsyncGenerator<ChangedContact> =>
    rowsOf((cursor) =>
      this.#transport.call(
        'getDiff',
        { path: { id }, query: { per_page: 1000, ...(cursor === undefined ? {} : { cursor }) } },
        options,
      ),
    )

  /** Does something to everyone selected; with `dry_run` it is `ready` once it says what it would do. */
  start = (body: Body<'startBulk'>, options?: CallOptions): Promise<Answer<'startBulk'>> =>
    this.#transport.call('startBulk', { body }, options)

  /** Does what a trial has planned. */
  apply = (id: number, options?: CallOptions): Promise<Answer<'applyBulk'>> =>
    this.#transport.call('applyBulk', { path: { id } }, options)

  /** Ends a bulk act where it is; what is done stays. */
  cancel = (id: number, options?: CallOptions): Promise<Answer<'cancelBulk'>> =>
    this.#transport.call('cancelBulk', { path: { id } }, options)

  /** Takes an act back; with `dry_run` it says what would come of it. */
  revert = (
    id: number,
    body: Body<'revertChangeSet'> = {},
    options?: CallOptions,
  ): Promise<Answer<'revertChangeSet'>> => this.#transport.call('revertChangeSet', { path: { id }, body }, options)
}
