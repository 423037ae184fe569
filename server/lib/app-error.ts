/** Messages by the attribute they are about; what concerns the whole request stands under `base`. */
export type Messages = Record<string, string[]>

/** Adds what is wrong at a place, each text once. A caller names the place, so it may be `constructor` or `__proto__`. */
export function tell(messages: Messages, place: string, ...texts: string[]): void {
  const told = Object.hasOwn(messages, place) ? messages[place]! : []
  const value = [...told, ...texts.filter((text) => !told.includes(text))]
  Object.defineProperty(messages, place, { value, enumerable: true, configurable: true, writable: true })
}

export type ErrorCode =
  | 'bad_request'
  | 'unauthenticated'
  | 'session_ended'
  | 'wrong_password'
  | 'cross_site'
  | 'account_forbidden'
  | 'scope_missing'
  | 'not_found'
  | 'contacts_not_found'
  | 'conflict'
  | 'gone'
  | 'changed_since'
  | 'too_large'
  | 'invalid'
  | 'filters_invalid'
  | 'rate_limited'
  | 'unavailable'

/** A failure the caller can act on. Whatever else is thrown is a bug and answers 500. `http/errors.ts` renders both. */
export class AppError extends Error {
  override readonly name = 'AppError'
  readonly code: ErrorCode
  readonly messages: Messages | undefined
  /** What the caller needs to go on, answered beside the message. */
  readonly details: Readonly<Record<string, unknown>>

  constructor(
    code: ErrorCode,
    message: string,
    messages?: Messages,
    cause?: unknown,
    details: Record<string, unknown> = {},
  ) {
    super(message, { cause })
    this.code = code
    this.messages = messages
    this.details = details
  }
}

/** The request makes sense but says something that can't be: a 422 that names each place with what is wrong there. */
export function invalid(messages: Messages, cause?: unknown): AppError {
  return new AppError('invalid', 'invalid request', messages, cause)
}

export const notFound = () => new AppError('not_found', 'Not Found')

type Results<Checks extends readonly (() => unknown)[]> = { [Nth in keyof Checks]: Awaited<ReturnType<Checks[Nth]>> }

/** Runs checks one after the other, all of them whatever fails, and throws what is `invalid` in any of them as one. */
export async function together<const Checks extends readonly (() => unknown)[]>(
  ...checks: Checks
): Promise<Results<Checks>> {
  const faults: Messages = {}
  const results: unknown[] = []
  for (const check of checks) {
    try {
      results.push(await check())
    } catch (error) {
      if (!(error instanceof AppError) || !error.messages) throw error
      for (const [place, texts] of Object.entries(error.messages)) tell(faults, place, ...texts)
    }
  }
  if (Object.keys(faults).length > 0) throw invalid(faults)
  return results as unknown as Results<Checks>
}
