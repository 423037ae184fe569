import { sleep } from './attempts.ts'
import { RollcallError } from './errors.ts'
import type { Answer, Body, CallOptions, Transport } from './transport.ts'

export type Export = Answer<'getExport'>

const FIRST_POLL_MS = 100
const LONGEST_POLL_MS = 2_000

export class Exports {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  create = (body: Body<'createExport'> = {}, options?: CallOptions): Promise<Answer<'createExport'>> =>
    this.#transport.call('createExport', { body }, options)

  get = (id: number, options?: CallOptions): Promise<Export> =>
    this.#transport.call('getExport', { path: { export_id: id } }, options)

  delete = (id: number, options?: CallOptions): Promise<undefined> =>
    this.#transport.call('deleteExport', { path: { export_id: id } }, options)

  /** Waits until the file is there, whose address is then in `url`. Throws when the export has failed. */
  wait = async (id: number, options: CallOptions = {}): Promise<Export> => {
    for (let pause = FIRST_POLL_MS; ; pause = Math.min(LONGEST_POLL_MS, pause * 1.5)) {
      const state = await this.get(id, options)
      if (state.status === 'finished') {
        if (state.url === null) throw new RollcallError(state.error ?? `There is no file: the export is ${state.phase}`)
        return state
      }
      await sleep(pause, options.signal)
    }
  }
}
