import { backoffMs, retryAfterMs, sleep, within } from './attempts.ts'
import { ApiError, apiErrorOf, ConnectionError, RollcallError, TimeoutError, UnexpectedAnswerError } from './errors.ts'
import { OPERATIONS, type Operations } from './operations.ts'

export interface Settings {
  /** Where the service answers, such as `https://contacts.example.com`. */
  url: string
  /** Not in a page of Rollcall itself, which has a session: there it is left out, and `headers` given. */
  token?: string | undefined
  /** A token belongs to one account, which this has checked; a session needs it, to say which of its accounts is meant. */
  accountId?: number | string | undefined
  /** Sent with each request: of a page with a session, `{ 'x-rollcall-ui': '1' }`. */
  headers?: Readonly<Record<string, string>> | undefined
  /** For one attempt, in milliseconds; 30,000 unless given, 0 for no limit. Uploads have none. */
  timeoutMs?: number | undefined
  /** How often a request that failed through no fault of its own is sent again; 3 unless given. */
  retries?: number | undefined
  /** Sends the requests; the platform's own unless given. A RollcallError that it throws is no lost connection, and final. */
  fetch?: typeof globalThis.fetch | undefined
}

/** Of one call. */
export interface CallOptions {
  signal?: AbortSignal | undefined
  timeoutMs?: number | undefined
  retries?: number | undefined
  /** Of a change: whoever sends it again within 24 hours gets the first answer again. Made anew for each call unless given. */
  idempotencyKey?: string | undefined
  /** Of a change or removal of one contact: only if it is still at this `version`, else a PreconditionFailedError. */
  ifMatch?: string | undefined
}

export type OperationName = keyof Operations
export type Input<Name extends OperationName> = Operations[Name]['input']
export type Answer<Name extends OperationName> = Operations[Name]['answer']
export type Body<Name extends OperationName> = Input<Name> extends { body: infer Given } ? Given : never
export type Query<Name extends OperationName> = Input<Name> extends { query?: infer Given } ? NonNullable<Given> : never
export type Call = <Name extends OperationName>(
  name: Name,
  input: Input<Name>,
  options?: CallOptions,
) => Promise<Answer<Name>>

/** What is sent, still without token and address. */
export interface Request extends CallOptions {
  method: string
  /** Behind `/api`. */
  path: string
  query?: object | undefined
  body?: unknown
  /** A body that is no JSON. */
  raw?: {
    body: NonNullable<RequestInit['body']>
    contentType?: string
    canRepeat: boolean
    /** Tells whoever fills a stream that no more is wanted: not every platform does when a request breaks off. */
    stop?: () => Promise<void>
  }
}

/** A wait longer than this is left to the caller, who finds it in the error. */
const LONGEST_RETRY_AFTER_MS = 60_000

export class Transport {
  readonly #base: string
  readonly #headers: Readonly<Record<string, string>>
  readonly #timeoutMs: number
  readonly #retries: number
  readonly #fetch: typeof globalThis.fetch

  constructor({ url, token, headers, accountId, timeoutMs = 30_000, retries = 3, fetch }: Settings) {
    if (!/^https?:\/\/[^/]/.test(url)) throw new RollcallError(`url must begin with https:// or http://: ${url}`)
    if (!token && !headers) throw new RollcallError('token is missing: make one with `rollcall token`')
    this.#base = `${url.replace(/\/+$/, '')}/api${accountId === undefined ? '' : `/accounts/${accountId}`}`
    this.#headers = { ...(token ? { 'Api-Token': token } : {}), Accept: 'application/json', ...headers }
    this.#timeoutMs = timeoutMs
    this.#retries = retries
    // Called through an arrow, as browsers want their own fetch to be called on nothing else than the window.
    this.#fetch = fetch ?? ((...given) => globalThis.fetch(...given))
  }

  /** Any operation of the API, by the name that `/openapi.json` gives it. */
  readonly call: Call = async (name, input, options = {}) => {
    const [method, template] = OPERATIONS[name]
    const { path = {}, query, body } = input as { path?: Record<string, unknown>; query?: object; body?: unknown }
    const filled = template.replace(/\{(\w+)\}/g, (_, key: string) => segmentOf(key, String(path[key])))
    const answer = await this.send({ ...options, method, path: filled, query, body })
    return answer as never
  }

  /** Sends a request, again where that can help; answers the parsed JSON, nothing for 204, and else the response. */
  async send(request: Request): Promise<unknown> {
    try {
      return await this.#attempts(request)
    } finally {
      // Not awaited: a source that is waiting for its own next chunk hears of it when that has come.
      request.raw?.stop?.().catch(() => {})
    }
  }

  async #attempts(request: Request): Promise<unknown> {
    const retries = request.raw?.canRepeat === false ? 0 : (request.retries ?? this.#retries)
    const init = this.#initOf(request)
    const url = this.#base + request.path + queryOf(request.query)
    for (let attempt = 1; ; attempt++) {
      try {
        return await within(request.timeoutMs ?? (request.raw ? 0 : this.#timeoutMs), request.signal, (signal) =>
          this.#attempt(url, { ...init, signal }),
        )
      } catch (error) {
        if (request.signal?.aborted || attempt > retries || !isPassing(error)) throw error
        const asked = error instanceof ApiError ? error.retryAfterMs : undefined
        if (asked !== undefined && asked > LONGEST_RETRY_AFTER_MS) throw error
        await sleep(asked ?? backoffMs(attempt), request.signal)
      }
    }
  }

  #initOf({ method, body, raw, idempotencyKey, ifMatch }: Request): RequestInit {
    const headers: Record<string, string> = { ...this.#headers }
    if (method !== 'GET') headers['Idempotency-Key'] = idempotencyKey ?? newKey()
    if (ifMatch !== undefined) headers['If-Match'] = `"${ifMatch}"`
    if (raw?.contentType) headers['Content-Type'] = raw.contentType
    if (body !== undefined) headers['Content-Type'] = 'application/json'
    const sent = raw?.body ?? (body === undefined ? undefined : JSON.stringify(body))
    return {
      method,
      headers,
      // What is redirected loses its body and would take the token elsewhere.
      redirect: 'manual',
      ...(sent === undefined ? {} : { body: sent }),
      // Without it, platforms that stream bodies refuse to.
      ...(sent instanceof ReadableStream ? { duplex: 'half' } : {}),
    } as RequestInit
  }

  async #attempt(url: string, init: RequestInit): Promise<unknown> {
    let response: Response
    try {
      response = await this.#fetch(url, init)
    } catch (error) {
      if (error instanceof RollcallError) throw error
      throw new ConnectionError(`${originOf(url)} can not be reached: ${reasonOf(error)}`, { cause: error })
    }
    if (response.status === 204) return undefined
    if (response.type === 'opaqueredirect' || (response.status >= 300 && response.status < 400)) {
      const to = response.headers.get('location')
      throw new UnexpectedAnswerError(
        `${originOf(url)} redirects${to ? ` to ${to}` : ''}: give the address it leads to as \`url\``,
      )
    }
    const isJson = /^application\/json\b/.test(response.headers.get('content-type') ?? '')
    if (response.ok && !isJson) return response
    const body = isJson ? await jsonOf(response) : await response.text()
    if (response.ok) return body
    if (!isJson && response.status < 500)
      throw new UnexpectedAnswerError(`${originOf(url)} answered ${response.status} and no JSON: is \`url\` right?`)
    throw apiErrorOf({
      status: response.status,
      body,
      requestId: response.headers.get('x-request-id') ?? undefined,
      retryAfterMs: retryAfterMs(response.headers.get('retry-after')),
    })
  }
}

async function jsonOf(response: Response): Promise<unknown> {
  const text = await response.text().catch((error: unknown) => {
    throw new ConnectionError(`The answer broke off: ${reasonOf(error)}`, { cause: error })
  })
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new ConnectionError('The answer broke off: it is not whole JSON', { cause: error })
  }
}

/** Whether another attempt may go better. A change that had been made after all is not made again: its key is known. */
function isPassing(error: unknown): boolean {
  if (error instanceof ApiError) return error.status === 429 || error.status >= 500
  return error instanceof ConnectionError || error instanceof TimeoutError
}

/**
 * A part of a path. Throws for what would make it another path: as a member of a list, `..` names the list itself, and to take
 * it out would delete the list.
 */
function segmentOf(key: string, value: string): string {
  if (/^\.{0,2}$/.test(value)) throw new RollcallError(`${key} names nothing: "${value}"`)
  return encodeURIComponent(value)
}

function queryOf(query: object = {}): string {
  const parts = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue
    parts.append(name, Array.isArray(value) ? value.join(',') : String(value))
  }
  const text = parts.toString()
  return text === '' ? '' : `?${text}`
}

/** A key that no other request has. It need not be hard to guess, so where no good source of randomness is, any will do. */
function newKey(): string {
  if (globalThis.crypto?.randomUUID) return globalThis.crypto.randomUUID()
  const part = () => Math.random().toString(36).slice(2).padEnd(11, '0')
  return `${Date.now().toString(36)}-${part()}${part()}${part()}`
}

function originOf(url: string): string {
  return URL.canParse?.(url) === false ? url : new URL(url).origin
}

/** What went wrong with a connection: Node keeps it in the cause. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error & { cause?: { message?: string; code?: string } }
  return cause?.message || cause?.code || message
}
