import { sleep } from './attempts.ts'
import { ImportFailedError } from './errors.ts'
import { messagesOf } from './event-stream.ts'
import { rowsByNumber, rowsOf } from './pages.ts'
import type { Answer, Body, CallOptions, Transport } from './transport.ts'
import { formOf, type ImportFile, type ImportOptions } from './upload.ts'

export type Import = Answer<'getImport'>
export type ImportedContact = Answer<'listImportedContacts'>['data'][number]

/** A contact as an import takes it. */
export interface ImportContact {
  email: string
  external_id?: string
  fields?: Record<string, unknown>
  tags?: string[]
  list_ids_included?: number[]
  list_ids_excluded?: number[]
}

export interface WaitOptions extends CallOptions {
  /** Told of the import each time it was asked for. */
  onProgress?: (state: Import) => void
}

const FIRST_POLL_MS = 100
const LONGEST_POLL_MS = 2_000

/** Phases in which nothing more happens by itself. */
const AT_REST: readonly string[] = ['ready', 'finished', 'failed', 'cancelled', 'reverted']

export class Imports {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** Takes contacts, at most 50,000: all of them, or with an InvalidError none. */
  create = (contacts: ImportContact[], options?: CallOptions): Promise<Import> =>
    this.#transport.call('createImport', { body: { contacts } as unknown as Body<'createImport'> }, options)

  /** Sends a file, of any size: what comes as a stream is never held as a whole, nor sent a second time. */
  upload = async (file: ImportFile, options: ImportOptions = {}, call: CallOptions = {}): Promise<Import> => {
    const raw = await formOf(file, options, call.signal)
    return (await this.#transport.send({ ...call, method: 'POST', path: '/contact_imports', raw })) as Import
  }

  /** What a file, or its first part, looks like, and where its columns would go. */
  preview = async (
    file: ImportFile,
    options: ImportOptions = {},
    call: CallOptions = {},
  ): Promise<Answer<'previewImport'>> => {
    const raw = await formOf(file, options, call.signal)
    const sent = await this.#transport.send({ ...call, method: 'POST', path: '/contact_imports/preview', raw })
    return sent as Answer<'previewImport'>
  }

  get = (id: number, options?: CallOptions): Promise<Import> =>
    this.#transport.call('getImport', { path: { id } }, options)

  all = (options?: CallOptions): AsyncGenerator<Answer<'listImports'>['data'][number]> =>
    rowsByNumber((page) => this.#transport.call('listImports', { query: { page } }, options))

  /**
   * Waits until an import has ended, or is `ready` and waits to be applied; answers it then.
   * Throws ImportFailedError when it has failed or was cancelled.
   */
  wait = async (id: number, { onProgress, ...options }: WaitOptions = {}): Promise<Import> => {
    for (let pause = FIRST_POLL_MS; ; pause = Math.min(LONGEST_POLL_MS, pause * 1.5)) {
      const state = await this.get(id, options)
      onProgress?.(state)
      if (state.phase === 'failed' || state.phase === 'cancelled') throw new ImportFailedError(state)
      if (AT_REST.includes(state.phase)) return state
      await sleep(pause, options.signal)
    }
  }

  /** An import each time it has changed, over one connection, until nothing more happens by itself. */
  follow = (id: number, options?: CallOptions): AsyncGenerator<Import> => this.#follow(id, options)

  async *#follow(id: number, options?: CallOptions): AsyncGenerator<Import> {
    const response = await this.#transport.call('followImport', { path: { id } }, options)
    for await (const { data } of messagesOf(response)) {
      options?.signal?.throwIfAborted() // what had come already is not wanted either
      yield JSON.parse(data) as Import
    }
  }

  /** Goes on with an import that is `ready` or has failed, by other options if need be. */
  apply = (id: number, body: Body<'applyImport'> = {}, options?: CallOptions): Promise<Answer<'applyImport'>> =>
    this.#transport.call('applyImport', { path: { id }, body }, options)

  cancel = (id: number, options?: CallOptions): Promise<Answer<'cancelImport'>> =>
    this.#transport.call('cancelImport', { path: { id } }, options)

  /** Takes a whole import back; with `dry_run` it says what would come of it. */
  revert = (id: number, body: Body<'revertImport'> = {}, options?: CallOptions): Promise<Answer<'revertImport'>> =>
    this.#transport.call('revertImport', { path: { id }, body }, options)

  /** Whom each row was about: address, id, and what was done. */
  contacts = (id: number, options?: CallOptions): AsyncGenerator<ImportedContact> =>
    rowsOf((cursor) =>
      this.#transport.call(
        'listImportedContacts',
        { path: { id }, query: { per_page: 1000, ...(cursor === undefined ? {} : { cursor }) } },
        options,
      ),
    )

  /** The rejected rows as CSV, with the original columns and what is wrong. */
  rejectedRows = async (id: number, options?: CallOptions): Promise<Response> =>
    this.#transport.call('getRejectedRows', { path: { id } }, options)
}
