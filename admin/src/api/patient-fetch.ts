import { RollcallError } from '@rollcall/sdk'

/** For the answer to a request: the service gives its own statements as long. */
const ANSWER_MS = 30_000
/** For the next bytes of an upload to leave, and for the answer once the last has left. The whole takes as long as it does. */
const STALL_MS = 120_000

/** There was no answer. It is not asked for again by itself: that would be the same wait once more. */
export class NoAnswer extends RollcallError {
  override name = 'NoAnswer'
  /** Something was to be changed, and may have been. */
  readonly isChange: boolean

  constructor(url: string, method = 'GET') {
    super('There was no answer')
    this.isChange = method !== 'GET' && !/\/(search|preview)$/.test(new URL(url).pathname)
  }
}

/** How many of the bytes of an upload have left. */
export type Sent = (part: number) => void

/** As `fetch`, but that it gives up what is not answered. `onSent` is told how far a form with a file has been sent, from 0 to 1. */
export async function patientFetch(
  input: string | URL | Request,
  init: RequestInit = {},
  onSent?: Sent,
): Promise<Response> {
  const url = String(input)
  if (/\/events\/stream(\?|$)/.test(url)) return fetch(url, init) // its answer ends when nobody listens any more
  const limit = new AbortController()
  const giveUp = () => limit.abort(new NoAnswer(url, init.method))
  const signal = init.signal ? AbortSignal.any([init.signal, limit.signal]) : limit.signal
  if (init.body instanceof FormData) return upload(url, { ...init, signal }, giveUp, onSent)
  const timer = setTimeout(giveUp, ANSWER_MS)
  try {
    const response = await fetch(url, { ...init, signal })
    if (!/^application\/json\b/.test(response.headers.get('content-type') ?? '')) return response
    // Read here, so that an answer that breaks off in its middle has the same end.
    const { status, headers } = response
    return new Response(await response.text(), { status, headers })
  } catch (error) {
    throw signal.aborted ? signal.reason : error
  } finally {
    clearTimeout(timer)
  }
}

/** By the older interface of browsers, the only one that tells how much has left. */
function upload(
  url: string,
  init: RequestInit & { signal: AbortSignal },
  giveUp: () => void,
  onSent?: Sent,
): Promise<Response> {
  const { signal, body, method = 'POST', headers } = init
  return new Promise<Response>((resolve, reject) => {
    signal.throwIfAborted()
    const request = new XMLHttpRequest()
    const stop = () => {
      request.abort()
      reject(signal.reason)
    }
    let timer = setTimeout(giveUp, STALL_MS)
    const moved = () => {
      clearTimeout(timer)
      timer = setTimeout(giveUp, STALL_MS)
    }
    signal.addEventListener('abort', stop, { once: true })
    request.upload.onprogress = ({ loaded, total }) => {
      moved()
      onSent?.(loaded / total)
    }
    request.upload.onload = () => {
      moved()
      onSent?.(1)
    }
    request.onload = () => resolve(answerOf(request))
    request.onerror = () => reject(new TypeError('The upload broke off'))
    request.onloadend = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
    }
    request.open(method, url)
    for (const [name, value] of new Headers(headers)) request.setRequestHeader(name, value)
    request.send(body as FormData)
  })
}

function answerOf(request: XMLHttpRequest): Response {
  const headers = request
    .getAllResponseHeaders()
    .split('\r\n')
    .filter((line) => line !== '')
    .map((line): [string, string] => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()])
  return new Response(request.status === 204 ? null : request.responseText, { status: request.status, headers })
}
