import type { Answer } from './transport.ts'

/** What all errors of this client have in common. */
export class RollcallError extends Error {
  override name = 'RollcallError'
}

/** The service could not be reached, or the connection was lost, at every attempt. `cause` has what the platform says. */
export class ConnectionError extends RollcallError {
  override name = 'ConnectionError'
}

/** There was no answer within the time for one attempt, at every attempt. */
export class TimeoutError extends RollcallError {
  override name = 'TimeoutError'
}

/** Something answered that is not Rollcall: most often the `url` is wrong. */
export class UnexpectedAnswerError extends RollcallError {
  override name = 'UnexpectedAnswerError'
}

/** What an error is made of. */
export interface Refusal {
  status: number
  body: unknown
  requestId: string | undefined
  /** Milliseconds that the service asks to wait. */
  retryAfterMs: number | undefined
}

/** The service has refused. Its subclasses say what kind of refusal it is. */
export class ApiError extends RollcallError {
  override name = 'ApiError'
  readonly status: number
  /** What is wrong by the name of what it is about, `base` for the whole. Empty where the service named no place. */
  readonly fields: Readonly<Record<string, readonly string[]>>
  /** Of an import of contacts: what is wrong with each of them. */
  readonly contacts: readonly { email: string; errors: Readonly<Record<string, readonly string[]>> }[]
  /** Under which the log of the service has the request. */
  readonly requestId: string | undefined
  readonly retryAfterMs: number | undefined
  /** The whole answer. */
  readonly body: unknown

  constructor({ status, body, requestId, retryAfterMs }: Refusal) {
    super(messageOf(status, body))
    this.status = status
    this.body = body
    this.requestId = requestId
    this.retryAfterMs = retryAfterMs
    const errors = (body as { errors?: unknown } | null)?.errors
    this.fields = isObject(errors) ? listsIn(errors) : {}
    this.contacts = Array.isArray(errors) ? errors : []
  }
}

/** 401: no token, or one that opens nothing. */
export class UnauthorizedError extends ApiError {
  override name = 'UnauthorizedError'
}

/** 403: the token is another account's, or has not the scope that this needs. */
export class ForbiddenError extends ApiError {
  override name = 'ForbiddenError'
}

export class NotFoundError extends ApiError {
  override name = 'NotFoundError'
}

/** 410: the feed has begun anew, as an older copy of the database was put back. */
export class FeedRestartedError extends ApiError {
  override name = 'FeedRestartedError'
  /** The cursor to go on from. */
  readonly resumeAfter: string
  /** Up to here everything is as it was read before. */
  readonly position: number

  constructor(refusal: Refusal) {
    super(refusal)
    const { resume_after, position } = refusal.body as { resume_after: string; position: number }
    this.resumeAfter = resume_after
    this.position = position
  }
}

/** 412: the contact is not at the version that `ifMatch` names. */
export class PreconditionFailedError extends ApiError {
  override name = 'PreconditionFailedError'
  /** How it is now; undefined when there is none. */
  readonly contact: Answer<'getContact'>['data'] | undefined

  constructor(refusal: Refusal) {
    super(refusal)
    this.contact = (refusal.body as { data?: Answer<'getContact'>['data'] }).data
  }
}

/** 422: `fields` says what is wrong. */
export class InvalidError extends ApiError {
  override name = 'InvalidError'
}

/** 429, after all attempts. */
export class RateLimitedError extends ApiError {
  override name = 'RateLimitedError'
}

/** 5xx, after all attempts: not the caller's fault. */
export class ServiceError extends ApiError {
  override name = 'ServiceError'
}

/** An import that was waited for has failed or was cancelled; its `problem` says why. */
export class ImportFailedError<Import extends { phase: string; problem: string | null }> extends RollcallError {
  override name = 'ImportFailedError'
  readonly import: Import

  constructor(ended: Import) {
    super(ended.problem ?? `The import was ${ended.phase}`)
    this.import = ended
  }
}

/** A webhook's message that Rollcall has not sent, or not just now. */
export class WebhookError extends RollcallError {
  override name = 'WebhookError'
}

const KINDS: Record<number, new (refusal: Refusal) => ApiError> = {
  401: UnauthorizedError,
  403: ForbiddenError,
  404: NotFoundError,
  410: FeedRestartedError,
  412: PreconditionFailedError,
  422: InvalidError,
  429: RateLimitedError,
}

export function apiErrorOf(refusal: Refusal): ApiError {
  const Kind = KINDS[refusal.status] ?? (refusal.status >= 500 ? ServiceError : ApiError)
  return new Kind(refusal)
}

/** One line: what the service says, with the places that it names. */
function messageOf(status: number, body: unknown): string {
  const { error, errors } = (isObject(body) ? body : {}) as { error?: unknown; errors?: unknown }
  if (typeof error === 'string') return error
  if (typeof errors === 'string') return errors
  if (Array.isArray(errors))
    return errors.map((row) => `${row?.email ?? 'a contact'}: ${toldBy(row?.errors ?? {})}`).join(' | ')
  if (isObject(errors)) return toldBy(errors)
  return `The service answered ${status}`
}

function toldBy(errors: Record<string, unknown>): string {
  const told = Object.entries(errors).map(([place, texts]) => {
    const text = [texts].flat().join(', ')
    return place === 'base' ? text : `${place}: ${text}`
  })
  return told.join('; ')
}

function listsIn(errors: Record<string, unknown>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(errors).map(([place, texts]) => [place, [texts].flat().map(String)]))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
