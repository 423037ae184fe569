import type { Answer, Body, CallOptions, Transport } from './transport.ts'

export type Webhook = Answer<'getWebhook'>

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
}
