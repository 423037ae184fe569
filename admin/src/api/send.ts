const TIMEOUT_MS = 30_000

/** A refusal outside the operations of the API: of sessions, and of what the SDK has no name for. */
export class Failure extends Error {
  override name = 'Failure'
  readonly status: number
  readonly fields: Readonly<Record<string, readonly string[]>>
  readonly retryAfterS: number | undefined

  constructor(status: number, message: string, fields: Record<string, string[]>, retryAfterS?: number) {
    super(message)
    this.status = status
    this.fields = fields
    this.retryAfterS = retryAfterS
  }
}

/** A request as the page's own: with the header that says so, which no other site can send. */
export function send(path: string, { headers, signal, ...init }: RequestInit = {}): Promise<Response> {
  const late = AbortSignal.timeout(TIMEOUT_MS)
  return fetch(path, {
    ...init,
    headers: { accept: 'application/json', 'x-rollcall-ui': '1', ...(headers as Record<string, string>) },
    signal: signal ? AbortSignal.any([signal, late]) : late,
  })
}

export async function failureOf(response: Response): Promise<Failure> {
  const body: { error?: unknown; errors?: unknown } = await response.json().catch(() => ({}))
  const wait = Number(response.headers.get('retry-after') ?? Number.NaN)
  const { error, errors } = body
  const fields = typeof errors === 'object' && errors !== null ? (errors as Record<string, string[]>) : {}
  const text =
    typeof error === 'string' ? error : typeof errors === 'string' ? errors : Object.values(fields).flat().join(', ')
  return new Failure(response.status, text, fields, Number.isFinite(wait) ? wait : undefined)
}
