import { AppError } from '@rollcall/server/lib/app-error.ts'
import { Refusal } from '@rollcall/server/lib/refusal.ts'

/** What a user is told of a failure: one line where they can do something about it, with the stack where it is a bug. */
export function explain(error: unknown): string {
  if (error instanceof Refusal) return error.message
  if (error instanceof AppError) {
    const places = Object.entries(error.messages ?? {}).map(([name, messages]) => `${name} ${messages.join(', ')}`)
    return places.length > 0 ? places.join('; ') : error.message
  }
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'AbortError') return 'stopped before it was done'
  // A failure of the database or of the network carries a code, and says what it is.
  if (error instanceof AggregateError) return error.errors.map((each) => explain(each)).join('; ')
  if ('code' in error && !(error instanceof TypeError)) return error.message
  return error.stack ?? error.message
}
