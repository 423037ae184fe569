import { RateLimitedError, UnauthorizedError } from '@rollcall/sdk'
import { problemText } from '../components/problem.ts'
import * as en from '../strings/en.ts'

/** Why signing in has failed, for the one who tries. */
export function signInProblem(error: unknown): string {
  if (error instanceof UnauthorizedError) return en.session.wrong
  if (error instanceof RateLimitedError) return en.session.tooMany(error.retryAfterMs)
  return problemText(error)
}
