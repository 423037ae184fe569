import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isConnectionLoss, isRetryable, isTimeout } from '../db/sqlstate.ts'
import { AppError, type ErrorCode, type Messages } from '../lib/app-error.ts'
import { callersWord } from './aliases.ts'
import { WINDOW_MS } from './limits.ts'
import { messagesFrom } from './validation.ts'

interface Wire {
  status: number
  body: (error: AppError, request: FastifyRequest) => object
}

const asError = (error: AppError) => ({ error: error.message })
/** What our own pages must tell apart from other answers of the same status. */
const withCode = (error: AppError) => ({ error: error.message, code: error.code })
const asErrors = (error: AppError) => ({ errors: error.message })

/** A body may be wrong in a million places; as many are told as anyone reads. */
const MOST_PLACES = 100

function firstOf(messages: Messages, request: FastifyRequest): Messages {
  const places = Object.entries(messages).slice(0, MOST_PLACES)
  return Object.fromEntries(places.map(([place, texts]) => [callersWord(request.raw, place), texts]))
}

/** The official shapes: which of them says `error` and which `errors` is as the official service answers. */
const WIRE: Record<ErrorCode, Wire> = {
  bad_request: { status: 400, body: asErrors },
  unauthenticated: { status: 401, body: (error) => ({ ...asError(error), ...error.details }) },
  session_ended: { status: 401, body: withCode },
  wrong_password: { status: 401, body: withCode },
  cross_site: { status: 403, body: asErrors },
  account_forbidden: { status: 403, body: asErrors },
  scope_missing: { status: 403, body: asErrors },
  not_found: { status: 404, body: asError },
  contacts_not_found: { status: 404, body: asErrors },
  conflict: { status: 409, body: asErrors },
  gone: { status: 410, body: (error) => ({ ...asErrors(error), ...error.details }) },
  changed_since: { status: 412, body: (error) => ({ ...asErrors(error), ...error.details }) },
  too_large: { status: 413, body: asErrors },
  invalid: {
    status: 422,
    body: (error, request) => ({ errors: firstOf(error.messages ?? { base: [error.message] }, request) }),
  },
  filters_invalid: { status: 422, body: () => ({ errors: { filters: 'invalid' } }) },
  rate_limited: { status: 429, body: asErrors },
  unavailable: { status: 503, body: asErrors },
}

/** Failures that Fastify itself finds, in words that say what would be right. */
function appErrorFrom(error: FastifyError, request: FastifyRequest): AppError | undefined {
  if (error.validation) return new AppError('invalid', 'invalid request', messagesFrom(error))
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new AppError(
        'too_large',
        `The request body is too large: at most ${request.routeOptions.bodyLimit} bytes are taken`,
      )
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new AppError(
        'bad_request',
        takesForm(request)
          ? 'Send a form (multipart/form-data) with the file as its part `file`, or JSON with the header Content-Type: application/json'
          : 'Send the body as JSON, with the header Content-Type: application/json',
      )
    case 'FST_ERR_BAD_URL':
    case 'FST_ERR_ASYNC_CONSTRAINT':
      return new AppError('bad_request', 'The address of the request is not correctly percent-encoded')
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return new AppError('not_found', 'Not Found')
  }
  if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500) {
    return new AppError(error.statusCode === 404 ? 'not_found' : 'bad_request', error.message)
  }
  if (isConnectionLoss(error)) return new AppError('unavailable', 'The database can not be reached: try again shortly')
  if (isTimeout(error)) return new AppError('unavailable', 'That takes too long: ask for less')
  return isRetryable(error) ? new AppError('unavailable', 'Too many changes of the same at once: try again') : undefined
}

function takesForm(request: FastifyRequest): boolean {
  const { body } = (request.routeOptions.schema ?? {}) as { body?: { content?: object } }
  return body?.content !== undefined && Object.hasOwn(body.content, 'multipart/form-data')
}

/** Status and body of a failure: the one place that knows what an error looks like on the wire. */
export function answerFor(error: AppError, request: FastifyRequest): { status: number; body: object } {
  const wire = WIRE[error.code]
  return { status: wire.status, body: wire.body(error, request) }
}

/** Answers a request with the failure that ended it. */
export function answerFailure(
  error: FastifyError | AppError,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const known = error instanceof AppError ? error : appErrorFrom(error, request)
  if (!known) {
    // The cause goes to the log, never to the caller.
    request.log.error({ err: error }, 'unhandled error')
    return reply.code(500).type('application/json').send({ errors: 'Unexpected error', request_id: request.id })
  }
  if (known.code === 'unavailable') {
    request.log.error({ err: error }, 'unavailable')
    reply.header('retry-after', '1')
  }
  if (known.code === 'rate_limited' && !reply.hasHeader('retry-after'))
    reply.header('retry-after', String(known.details.retry_after_s ?? WINDOW_MS / 1000))
  const { status, body } = answerFor(known, request)
  if (known.code === 'unauthenticated') reply.header('www-authenticate', 'Bearer realm="Rollcall"')
  return reply.code(status).type('application/json').send(body)
}

/** Answers failures, and requests for what there is not: with the methods that their address has. Before any route. */
export function installErrors(app: FastifyInstance): void {
  const methodsAt = rememberMethods(app)
  app.setErrorHandler<FastifyError | AppError>(answerFailure)
  app.setNotFoundHandler((request, reply) => {
    const { status, body } = answerFor(new AppError('not_found', 'Not Found'), request)
    const hint = request.url.startsWith('/api') ? { hint: hintFor(request, methodsAt(request.url)) } : {}
    return reply
      .code(status)
      .type('application/json')
      .send({ ...body, ...hint })
  })
}

function hintFor({ method }: FastifyRequest, known: readonly string[]): string {
  const others = known.length === 0 ? '' : `, but ${new Intl.ListFormat('en').format(known)}`
  return `There is no ${method} at this address${others}: see /docs.`
}

/** Of an address: the methods of the routes that have it, but HEAD, which comes with GET. */
function rememberMethods(app: FastifyInstance): (url: string) => string[] {
  const known: { parts: string[]; methods: string[] }[] = []
  app.addHook('onRoute', ({ url, method }) => {
    known.push({ parts: partsOf(url), methods: [method].flat() })
  })
  return (url) => {
    const parts = partsOf(url)
    const has = (route: string[]) =>
      route.length === parts.length && route.every((part, nth) => part.startsWith(':') || part === parts[nth])
    const methods = known.filter((route) => has(route.parts)).flatMap((route) => route.methods)
    return [...new Set(methods)].filter((method) => method !== 'HEAD').sort()
  }
}

function partsOf(url: string): string[] {
  return url.replace(/\/?([?#].*)?$/s, '').split('/')
}
