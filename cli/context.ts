import { type Rollcall, rollcall } from '../sdk/src/rollcall.ts'
import { Output } from './output.ts'
import { chooseService, type Profile } from './profiles.ts'
import type { Surroundings } from './surroundings.ts'

/** Options that every command takes, wherever they stand. */
export interface GlobalOptions {
  json?: true
  profile?: string
}

/** The answer that came last, for whoever has to explain a failure. */
export interface Exchange {
  method: string
  url: string
  status: number
  server: string | null
  type: string | null
}

/** What all commands share: where they run, what they say, and the service that they are for. */
export class Context {
  readonly surroundings: Surroundings
  readonly out: Output
  /** The profile that was named, if one was. */
  readonly profileName: string | undefined
  readonly #stop = new AbortController()
  #service: Profile | undefined
  #client: Rollcall | undefined
  #forget: (() => void) | undefined
  /** What a command that was interrupted tells the user, as far as it had come. */
  whenInterrupted: string | undefined
  last: Exchange | undefined

  constructor(surroundings: Surroundings, { json, profile }: GlobalOptions) {
    this.surroundings = surroundings
    this.out = new Output(surroundings, json === true)
    this.profileName = profile
  }

  /** Throws a Refusal when no service is named. */
  get service(): Profile {
    this.#service ??= chooseService(this.surroundings, this.profileName, (text) => this.out.note(text))
    return this.#service
  }

  get client(): Rollcall {
    this.#client ??= this.clientOf(this.service)
    return this.#client
  }

  clientOf(service: Profile): Rollcall {
    this.#service = service
    return rollcall({ ...service, fetch: this.fetch })
  }

  /** Notes what answered. */
  readonly fetch: typeof fetch = async (input, init) => {
    const response = await fetch(input, init)
    this.last = {
      method: init?.method ?? 'GET',
      url: String(input),
      status: response.status,
      server: response.headers.get('server'),
      type: response.headers.get('content-type'),
    }
    return response
  }

  /** Aborted when the user asks for the end. Until it is first asked for, Ctrl-C ends the process as it always does. */
  get signal(): AbortSignal {
    this.#forget ??= this.surroundings.onInterrupt(() => this.#stop.abort(new Interrupted()))
    return this.#stop.signal
  }

  get isInterrupted(): boolean {
    return this.#stop.signal.aborted
  }

  close(): void {
    this.out.clear()
    this.#forget?.()
  }
}

/** The user has asked for the end. */
export class Interrupted extends Error {}
