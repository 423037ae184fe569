import { ApiError, ConnectionError, NotFoundError } from '@rollcall/sdk'
import { NoAnswer } from '../api/patient-fetch.ts'
import * as en from '../strings/en.ts'

/** What to tell a user about an error; words of our own are told as they are. */
export function problemText(error: unknown): string {
  if (typeof error === 'string') return error
  if (error instanceof NoAnswer) return error.isChange ? en.common.noAnswerToChange : en.common.noAnswer
  if (error instanceof ConnectionError || error instanceof TypeError) return en.common.unreachable
  if (error instanceof ApiError && error.status >= 500)
    return [en.common.unexpected, error.requestId && en.common.requestId(error.requestId)].filter(Boolean).join(' ')
  if (error instanceof ApiError && error.status === 403) return en.common.forbiddenText
  if (error instanceof NotFoundError) return en.common.gone
  if (error instanceof ApiError) return error.message || en.common.unexpected
  return en.common.unexpected
}

/** Faults by the name of the input they are about; what is about no input of `names` comes under `base`. */
export function faultsByInput(error: unknown, names: readonly string[]): Record<string, string> {
  const fields = error instanceof ApiError ? error.fields : {}
  const faults: Record<string, string> = {}
  for (const [place, texts] of Object.entries(fields)) {
    const name = names.includes(place) ? place : 'base'
    const told = name === 'base' && place !== 'base' ? `${place}: ${texts.join(', ')}` : texts.join(', ')
    faults[name] = faults[name] ? `${faults[name]}; ${told}` : told
  }
  return Object.keys(faults).length > 0 ? faults : { base: problemText(error) }
}
