import type { Answer, Body, CallOptions, Transport } from './transport.ts'

export type Form = Answer<'getForm'>['data']

/** Sign-up forms. */
export class Forms {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  list = async (options?: CallOptions): Promise<Form[]> => (await this.#transport.call('listForms', {}, options)).data

  create = async (form: Body<'createForm'>, options?: CallOptions): Promise<Form> =>
    (await this.#transport.call('createForm', { body: form }, options)).data

  get = async (id: number, options?: CallOptions): Promise<Form> =>
    (await this.#transport.call('getForm', { path: { form_id: id } }, options)).data

  /** What is given becomes the form's next version. */
  update = async (id: number, change: Body<'updateForm'>, options?: CallOptions): Promise<Form> =>
    (await this.#transport.call('updateForm', { path: { form_id: id }, body: change }, options)).data

  delete = (id: number, options?: CallOptions): Promise<undefined> =>
    this.#transport.call('deleteForm', { path: { form_id: id } }, options)

  /** The page that a form of these settings would have, as a whole document; saves nothing. */
  preview = async (settings: Body<'previewForm'>, options?: CallOptions): Promise<string> =>
    (await this.#transport.call('previewForm', { body: settings }, options)).data.html

  /** HTML that puts the form into a page of your own: as plain HTML, and as a frame. */
  embed = async (id: number, options?: CallOptions): Promise<Answer<'getFormEmbed'>['data']> =>
    (await this.#transport.call('getFormEmbed', { path: { form_id: id } }, options)).data
}
