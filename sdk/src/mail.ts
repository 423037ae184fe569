import type { ContactName } from './contacts.ts'
import type { Answer, Body, CallOptions, Query, Transport } from './transport.ts'

export type Template = Answer<'getTemplate'>['data']
export type Message = Answer<'getMessage'>['data']

/** Templates of mails, and the mails that went out. */
export class Mail {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  templates = async (options?: CallOptions): Promise<Template[]> =>
    (await this.#transport.call('listTemplates', {}, options)).data

  createTemplate = async (template: Body<'createTemplate'>, options?: CallOptions): Promise<Template> =>
    (await this.#transport.call('createTemplate', { body: template }, options)).data

  template = async (name: string, options?: CallOptions): Promise<Template> =>
    (await this.#transport.call('getTemplate', { path: { name } }, options)).data

  /** Those that were saved, the latest first, without their texts: `templateAt` has these. */
  versions = (
    name: string,
    query: Query<'listTemplateVersions'> = {},
    options?: CallOptions,
  ): Promise<Answer<'listTemplateVersions'>> =>
    this.#transport.call('listTemplateVersions', { path: { name }, query }, options)

  /** A template as it was in a version; 0: as it comes with the service. */
  templateAt = async (name: string, version: number, options?: CallOptions): Promise<Template> =>
    (await this.#transport.call('getTemplate', { path: { name }, query: { version } }, options)).data

  /** What is given becomes the template's next version. */
  updateTemplate = async (name: string, change: Body<'updateTemplate'>, options?: CallOptions): Promise<Template> =>
    (await this.#transport.call('updateTemplate', { path: { name }, body: change }, options)).data

  /** A built-in one is then again as it comes. */
  deleteTemplate = (name: string, options?: CallOptions): Promise<undefined> =>
    this.#transport.call('deleteTemplate', { path: { name } }, options)

  /** What somebody would get, of what is saved or of texts that are given; sends nothing. */
  preview = (name: string, body: Body<'previewTemplate'>, options?: CallOptions): Promise<Answer<'previewTemplate'>> =>
    this.#transport.call('previewTemplate', { path: { name }, body }, options)

  /** Mails a template; who may not be mailed is an InvalidError that says why. */
  send = (name: string, body: Body<'sendTemplate'>, options?: CallOptions): Promise<Answer<'sendTemplate'>> =>
    this.#transport.call('sendTemplate', { path: { name }, body }, options)

  /** Mails, the latest first; of one contact, in one phase, where these are named. */
  messages = (
    query: Query<'listMessages'> & { contact?: ContactName } = {},
    options?: CallOptions,
  ): Promise<Answer<'listMessages'>> => this.#transport.call('listMessages', { query }, options)

  /** One mail with what it says. */
  message = async (id: string, options?: CallOptions): Promise<Message> =>
    (await this.#transport.call('getMessage', { path: { id } }, options)).data

  /** Sends a mail again that failed; one that did not, or whose link is over, is an ApiError (409) that says why. */
  retry = async (id: string, options?: CallOptions): Promise<Answer<'retryMessage'>['data']> =>
    (await this.#transport.call('retryMessage', { path: { id } }, options)).data
}
