import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { checkedLookup, checkLiteral, type Resolve, TargetRefused } from './target.ts'

/** How a message was received. */
export interface Outcome {
  /** null: there was no answer. */
  status: number | null
  /** The first 1,000 characters of what was answered. */
  answer: string
  error: string | null
  latencyMs: number
}

export interface PostOptions {
  timeoutMs: number
  allowPrivate: boolean
  resolve: Resolve
}

const ANSWER_CHARACTERS = 1000
const ANSWER_BYTES = 4 * ANSWER_CHARACTERS
/** After so many bytes of an answer its connection is closed rather than read to the end. */
const READ_BYTES = 65_536

/** A connection that was used is kept for so long for the next message. */
const IDLE_MS = 4000

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was closed before an answer',
  EPIPE: 'the connection was closed before an answer',
  ENOTFOUND: 'the name leads nowhere',
  EAI_AGAIN: 'the name could not be resolved',
  EHOSTUNREACH: 'the host can not be reached',
  ENETUNREACH: 'the network can not be reached',
  ETIMEDOUT: 'the connection timed out',
}

/** Sends messages over HTTP. Redirects are answers like any other: they are not followed. */
export class Post {
  readonly #options: PostOptions
  readonly #lookup: ReturnType<typeof checkedLookup>
  readonly #agents = {
    'http:': new HttpAgent({ keepAlive: true, maxFreeSockets: 8, timeout: IDLE_MS }),
    'https:': new HttpsAgent({ keepAlive: true, maxFreeSockets: 8, timeout: IDLE_MS }),
  }

  constructor(options: PostOptions) {
    this.#options = options
    this.#lookup = checkedLookup(options)
  }

  /** Closes the connections that are kept. */
  close(): void {
    for (const agent of Object.values(this.#agents)) agent.destroy()
  }

  /** Never rejects: what went wrong is in the outcome. undefined when `signal` cut it off before there was an answer. */
  async send(
    url: string,
    headers: Record<string, string>,
    body: string,
    signal: AbortSignal,
  ): Promise<Outcome | undefined> {
    const startedMs = performance.now()
    const late = AbortSignal.timeout(this.#options.timeoutMs)
    const received = { status: null as number | null, bytes: [] as Buffer[] }
    let error: string | null = null
    try {
      checkLiteral(new URL(url), this.#options)
      await this.#exchange(url, headers, Buffer.from(body), AbortSignal.any([signal, late]), received)
    } catch (failure) {
      if (received.status === null && signal.aborted) return undefined
      error = late.aborted ? `no answer within ${this.#options.timeoutMs / 1000} s` : reasonOf(failure)
    }
    const { status } = received
    // Whoever has said that it is received has received it, whatever becomes of the rest of the answer.
    if (status !== null) error = isGood(status) ? null : wordsFor(status)
    const latencyMs = Math.round(performance.now() - startedMs)
    return { status, answer: textOf(received.bytes), error, latencyMs }
  }

  async #exchange(
    url: string,
    headers: Record<string, string>,
    body: Buffer,
    signal: AbortSignal,
    received: { status: number | null; bytes: Buffer[] },
  ): Promise<void> {
    for (;;) {
      const request = this.#open(url, headers, body, signal)
      try {
        const response = await responseTo(request)
        received.status = response.statusCode!
        await readSome(response, received.bytes)
        return
      } catch (failure) {
        // The other side has closed a kept connection at the moment it was used again: that says nothing of it.
        if (received.status === null && request.reusedSocket && isReset(failure) && !signal.aborted) continue
        throw failure
      }
    }
  }

  #open(url: string, headers: Record<string, string>, body: Buffer, signal: AbortSignal): ClientRequest {
    const isSecure = url.startsWith('https:')
    const request = (isSecure ? httpsRequest : httpRequest)(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'Rollcall-Webhooks',
        ...headers,
        'content-length': body.length,
      },
      agent: this.#agents[isSecure ? 'https:' : 'http:'],
      lookup: this.#lookup,
      signal,
    })
    request.end(body)
    return request
  }
}

export const isGood = (status: number | null): boolean => status !== null && status >= 200 && status < 300

function responseTo(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve)
    request.on('error', reject)
  })
}

async function readSome(response: IncomingMessage, into: Buffer[]): Promise<void> {
  let [kept, read] = [0, 0]
  for await (const chunk of response as AsyncIterable<Buffer>) {
    read += chunk.length
    if (kept < ANSWER_BYTES) into.push(chunk.subarray(0, ANSWER_BYTES - kept))
    kept = Math.min(ANSWER_BYTES, kept + chunk.length)
    if (read >= READ_BYTES) return // which closes the connection
  }
}

/** As PostgreSQL can hold it. */
function textOf(bytes: readonly Buffer[]): string {
  const text = Buffer.concat(bytes).toString('utf8').replaceAll('\0', '\ufffd')
  return Array.from(text).slice(0, ANSWER_CHARACTERS).join('')
}

function wordsFor(status: number): string {
  return status >= 300 && status < 400
    ? `answered ${status}: redirects are not followed, give the address they lead to`
    : `answered ${status}`
}

function isReset(failure: unknown): boolean {
  return ['ECONNRESET', 'EPIPE'].includes((failure as NodeJS.ErrnoException).code ?? '')
}

/** In our own words: those of the socket hold addresses that a name led to. */
function reasonOf(failure: unknown): string {
  if (failure instanceof TargetRefused) return failure.message
  const { code } = failure as NodeJS.ErrnoException
  return (code !== undefined && REASONS[code]) || `the connection failed${code === undefined ? '' : ` (${code})`}`
}
