import { rowsOf } from './pages.ts'
import type { Answer, Body, CallOptions, Query, Transport } from './transport.ts'

export type Webhook = Answer<'getWebhook'>
export type Delivery = Answer<'listDeliveries'>['data'][number]

export class Webhooks {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  list = (options?: CallOptions): Promise<Answer<'listWebhooks'>> => this.#transport.call('listWebhooks', {}, options)

  /** The answer holds the secret, this once. */
  create = (webhook: Body<'createWebhook'>, options?: CallOptions): Promise<Answer<'createWebhook'>> =>
    this.#transport.call('createWebhook', { body: webhook }, options)

  get = (id: number, options?: CallOptions): Promise<Webhook> =>
    this.#transport.call('getWebhook', { path: { id } }, options)

  update = (id: number, change: Body<'updateWebhook'>, options?: CallOptions): Promise<Answer<'updateWebhook'>> =>
    this.#transport.call('updateWebhook', { path: { id }, body: change }, options)

  delete = (id: number, options?: CallOptions): Promise<undefined> =>
    this.#transport.call('deleteWebhook', { path: { id } }, options)

  /** Sends a message that tells nothing; the delivery says how it went. */
  test = (id: number, options?: CallOptions): Promise<Answer<'testWebhook'>> =>
    this.#transport.call('testWebhook', { path: { id } }, options)

  /** What was sent in the last 14 days, the latest first, page by page as it is gone through. */
  deliveries = (
    id: number,
    query: Omit<Query<'listDeliveries'>, 'page' | 'cursor'> = {},
    options?: CallOptions,
  ): AsyncGenerator<Delivery> =>
    rowsOf((cursor) =>
      this.#transport.call(
        'listDeliveries',
        { path: { id }, query: { ...query, ...(cursor === undefined ? {} : { cursor }) } },
        options,
      ),
    )

  /** One delivery, with what is sent. */
  delivery = (id: number, delivery: number, options?: CallOptions): Promise<Answer<'getDelivery'>> =>
    this.#transport.call('getDelivery', { path: { id, delivery } }, options)

  /** Sends a delivery again, under the same id. */
  redeliver = (id: number, delivery: number, options?: CallOptions): Promise<Answer<'redeliver'>> =>
    this.#transport.call('redeliver', { path: { id, delivery } }, options)

  /** Lets it read the feed on from a cursor, `start` or `now`. */
  replay = (id: number, after: string, options?: CallOptions): Promise<Answer<'replayWebhook'>> =>
    this.#transport.call('replayWebhook', { path: { id }, body: { after } }, options)

  /** A new secret, shown this once; the one of before signs beside it for a day. */
  rotateSecret = (id: number, options?: CallOptions): Promise<Answer<'rotateWebhookSecret'>> =>
    this.#transport.call('rotateWebhookSecret', { path: { id } }, options)
}
