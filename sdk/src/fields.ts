import type { Answer, Body, CallOptions, Query, Transport } from './transport.ts'

export type Field = Answer<'getField'>

export class Fields {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  list = (options?: CallOptions): Promise<Answer<'listFields'>> => this.#transport.call('listFields', {}, options)

  /** How many contacts have a value for each, and what speaks of it; of a large account estimated from a sample. */
  usage = (options?: CallOptions): Promise<Answer<'getFieldUsage'>> =>
    this.#transport.call('getFieldUsage', {}, options)

  /** Values that contacts have, the commonest first; of a field by its id or merge tag, or of `tag`, `email_domain`, `origin`. */
  values = (
    name: number | string,
    query: Query<'listFieldValues'> = {},
    options?: CallOptions,
  ): Promise<Answer<'listFieldValues'>> =>
    this.#transport.call('listFieldValues', { path: { field_id: name }, query }, options)

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
