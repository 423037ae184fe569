import { setTimeout as sleep } from 'node:timers/promises'
import { Refusal } from '@rollcall/server/lib/refusal.ts'
import { Transport } from '../../sdk/src/transport.ts'
import type { Profile } from '../profiles.ts'

export interface SourceList {
  id: number
  name: string
}

export interface SourceField {
  id: number
  name: string
  merge_tag: string
  data_type: 'text' | 'integer' | 'float' | 'boolean' | 'date'
}

interface SourceExport {
  id: number
  status: string
  url: string | null
}

/** A filter of an export, as the official API has them. */
export type Filter =
  | { name: 'subscription_status'; operator: 'equal'; value: 'subscribed' | 'unsubscribed' }
  | { name: 'list_id'; operator: 'equal'; value: number[] }

const FIRST_POLL_MS = 200
/** Of the 200 requests a minute that an account has there, exports leave most to its other programs. */
const LONGEST_POLL_MS = 5_000

/** The account that is moved, by the official Contacts API and its spellings alone. */
export class Source {
  readonly #transport: Transport

  constructor({ url, token }: Profile, account: number | undefined, fetch: typeof globalThis.fetch) {
    this.#transport = new Transport({
      url,
      token,
      fetch,
      retries: 6,
      ...(account === undefined ? {} : { accountId: account }),
    })
  }

  lists(signal: AbortSignal): Promise<SourceList[]> {
    return this.#get('/contacts/lists', signal)
  }

  /** Some of its clients expect the fields within `data`; both are read. */
  async fields(signal: AbortSignal): Promise<SourceField[]> {
    const answer = await this.#get<SourceField[] | { data: SourceField[] }>('/contacts/fields', signal)
    return Array.isArray(answer) ? answer : answer.data
  }

  async beginExport(filters: Filter[], signal: AbortSignal): Promise<number> {
    const body = { filters }
    const made = (await this.#transport.send({
      method: 'POST',
      path: '/contacts/exports',
      body,
      signal,
    })) as SourceExport
    return made.id
  }

  /** Waits until the file is there; answers its address. Throws a Refusal when there will be none. */
  async fileOf(id: number, signal: AbortSignal, onWait: () => void): Promise<string> {
    for (let pause = FIRST_POLL_MS; ; pause = Math.min(LONGEST_POLL_MS, pause * 1.5)) {
      const { status, url } = await this.#get<SourceExport>(`/contacts/exports/${id}`, signal)
      if (url !== null) return url
      if (status === 'finished') throw new Refusal(`export ${id} has ended without a file: run this again`)
      onWait()
      await sleep(pause, undefined, { signal }).catch(() => signal.throwIfAborted())
    }
  }

  async #get<Answer>(path: string, signal: AbortSignal): Promise<Answer> {
    return (await this.#transport.send({ method: 'GET', path, signal })) as Answer
  }
}
