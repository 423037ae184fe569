import type { Answer, Body, CallOptions, Transport } from './transport.ts'

export type Field = Answer<'getField'>

export class Fields {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  list = (options?: CallOptions): Promise<Answer<'listFields'>> => this.#transport.call('listFields', {}, options)

  create = (field: Body<'createField'>, options?: CallOptions): Promise<Answer<'createField'>> =>
    this.#transport.call('createField', { body: field }, options)

  get = (id: number, options?: CallOptions): Promise<Field> =>
    this.#transport.call('getField', { path: { field_id: id } }, options)

  update = (id: number, change: Body<'updateField'>, options?: CallOptions): Promise<Answer<'updateField'>> =>
    this.#transport.call('updateField', { path: { field_id: id }, body: change }, options)

  /** Makes another kind of it; with `dry_run` it says what would become of the values. */
  convert = (id: number, body: Body<'convertField'>, options?: CallOptions): Promise<Answer<'convertField'>> =>
    this.#transport.call('convertField', { path: { field_id: id }, body }, options)

  delete = (id: number, options?: CallOptions): Promise<undefined> =>
    this.#transport.call('deleteField', { path: { field_id: id } }, options)
}
