import { AppError } from '@rollcall/server/lib/app-error.ts'
import { Refusal } from '@rollcall/server/lib/refusal.ts'
import {
  ApiError,
  ConnectionError,
  ForbiddenError,
  NotFoundError,
  RollcallError,
  ServiceError,
  TimeoutError,
  UnauthorizedError,
  UnexpectedAnswerError,
} from '../sdk/src/errors.ts'
import { type Context, Interrupted } from './context.ts'
import { printable, printableLines } from './text.ts'

/** How a command ends; docs/cli.md tells them. */
export const EXIT = { done: 0, failed: 1, usage: 2, unreachable: 3, denied: 4, missing: 5, interrupted: 130 } as const

export interface Failure {
  /** Safe to be shown; one line where it tells of the service. */
  message: string
  exitCode: number
}

/** What a user is told of a failure, with the stack only where it is a bug. */
export async function explainFailure(error: unknown, context: Context): Promise<Failure> {
  const { message, exitCode } = await explained(error, context)
  return { message: printableLines(message).trim(), exitCode }
}

async function explained(error: unknown, context: Context): Promise<Failure> {
  // Whatever broke off then did so because of it.
  if (error instanceof Interrupted || context.isInterrupted)
    return { message: context.whenInterrupted ?? 'interrupted', exitCode: EXIT.interrupted }
  if (error instanceof RollcallError) return explainService(error, context)
  return { message: explainLocal(error), exitCode: EXIT.failed }
}

/** Failures of this machine: of files, of the database, of what was asked for. */
export function explainLocal(error: unknown): string {
  if (error instanceof Refusal) return error.message
  if (error instanceof AppError) {
    const places = Object.entries(error.messages ?? {}).map(([name, messages]) => `${name} ${messages.join(', ')}`)
    return places.length > 0 ? places.join('; ') : error.message
  }
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'AbortError') return 'stopped before it was done'
  if (error instanceof AggregateError) return error.errors.map((each) => explainLocal(each)).join('; ')
  if ('code' in error && !(error instanceof TypeError)) return FILES[String(error.code)]?.(error) ?? error.message
  return error.stack ?? error.message
}

const FILES: Record<string, (error: Error & { path?: string }) => string> = {
  ENOENT: ({ path, message }) => (path ? `there is no file ${path}` : message),
  EACCES: ({ path, message }) => (path ? `${path} can't be used: permission denied` : message),
  EISDIR: ({ path }) => `${path ?? 'that'} is a directory, and a file is needed`,
}

async function explainService(error: RollcallError, context: Context): Promise<Failure> {
  const url = reachedAt(context)
  const line = (message: string, exitCode: number) => ({ message: printable(message), exitCode })
  if (speaksNoTls(error))
    return line(`${url} can not be reached: what answers there does not speak https, only http?`, EXIT.unreachable)
  if (error instanceof ConnectionError || error instanceof TimeoutError)
    return line(`${error.message}; is Rollcall running at ${url}?`, EXIT.unreachable)
  if (error instanceof UnexpectedAnswerError) return line(await strangerAt(context, error.message), EXIT.unreachable)
  if (!(error instanceof ApiError)) return line(error.message, EXIT.failed)
  const asked = context.last ? `${context.last.method} ${shownPath(context.last.url)}` : 'the request'
  if (error instanceof NotFoundError) {
    const found = await documentAt(context)
    if (found === undefined) return line(await strangerAt(context, error.message), EXIT.unreachable)
    if (context.last && isUnknown(found, context.last))
      return line(
        `the service at ${url} (version ${found.version}) does not know ${asked}: it is older than this command, update it`,
        EXIT.failed,
      )
    return line(error.message === 'Not Found' ? `not found: ${asked}` : error.message, EXIT.missing)
  }
  if (error instanceof UnauthorizedError)
    return line(
      `${url} refuses the token (${error.message}): run rollcall login with one that works, see rollcall token create`,
      EXIT.denied,
    )
  if (error instanceof ForbiddenError) return line(`the token may not do this (${error.message})`, EXIT.denied)
  if (error instanceof ServiceError)
    return line(
      `the service failed (${error.message})${error.requestId ? `; its log has the request as ${error.requestId}` : ''}`,
      EXIT.failed,
    )
  return line(error.message, EXIT.failed)
}

/** Whether something answered that is no TLS: the words of the library tell of its own source files. */
function speaksNoTls(error: RollcallError): boolean {
  const { cause } = (error.cause ?? {}) as { cause?: { code?: string } }
  return error instanceof ConnectionError && cause?.code === 'ERR_SSL_WRONG_VERSION_NUMBER'
}

/** Where the last answer came from: the service, unless the command speaks with another one as well. */
function reachedAt({ service, last }: Context): string {
  return last === undefined || last.url.startsWith(service.url) ? service.url : new URL(last.url).origin
}

interface ServedDocument {
  version: string
  paths: Set<string>
}

/** The API that the service says it has; undefined where no Rollcall answers. */
async function documentAt(context: Context): Promise<ServedDocument | undefined> {
  try {
    const response = await fetch(`${reachedAt(context).replace(/\/+$/, '')}/openapi.json`, {
      redirect: 'manual',
      signal: AbortSignal.timeout(5000),
    })
    const { info, paths } = (await response.json()) as {
      info: { title: string; version: string }
      paths: Record<string, object>
    }
    if (info.title !== 'Rollcall') return undefined
    const names = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${shapeOf(path)}`),
    )
    return { version: info.version, paths: new Set(names) }
  } catch {
    return undefined
  }
}

/** A path whose parameters are all written alike. */
function shapeOf(path: string): string {
  return path.replace(/\{\w+\}/g, '{}')
}

/** Whether the service knows no operation of that method and shape. */
function isUnknown(served: ServedDocument, { method, url }: { method: string; url: string }): boolean {
  const asked = pathOf(url).split('/')
  const fits = (shape: string) => {
    const parts = shape.split('/')
    return parts.length === asked.length && parts.every((part, at) => part === '{}' || part === asked[at])
  }
  const known = [...served.paths]
    .filter((name) => name.startsWith(`${method} `))
    .map((name) => name.slice(method.length + 1))
  return !known.some(fits)
}

function pathOf(url: string): string {
  return new URL(url).pathname.replace(/^.*?\/api(\/accounts\/\d+)?\//, '/api/')
}

/** What was reached instead of Rollcall. */
async function strangerAt(context: Context, fallback: string): Promise<string> {
  const { last } = context
  if (!last) return fallback
  if (last.status >= 300 && last.status < 400) return fallback
  const what = [last.server && `by ${last.server}`, last.type && `as ${last.type.split(';')[0]}`]
    .filter(Boolean)
    .join(', ')
  return `${reachedAt(context)} is not Rollcall: ${pathOf(last.url)} was answered ${last.status}${what ? ` ${what}` : ''}; give the address that rollcall start prints`
}

/** A path as people write it. */
function shownPath(url: string): string {
  try {
    return decodeURIComponent(pathOf(url))
  } catch {
    return pathOf(url)
  }
}
