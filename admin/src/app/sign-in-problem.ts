import { Failure } from '../api/send.ts'
import { problemText } from '../components/problem.ts'
import { en } from '../strings/en.ts'

/** Why signing in has failed, for the one who tries. */
export function signInProblem(error: unknown): string {
  if (error instanceof Failure && error.status === 401) return en.session.wrong
  if (error instanceof Failure && error.status === 429) return en.session.tooMany(error.retryAfterS)
  return problemText(error)
}
