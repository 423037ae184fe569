import { discreet } from '../db/discreet.ts'

/** What may stand of a job's failure in the queue's table, which keeps it for days: `discreet`, with its code. */
export function failureToKeep(error: unknown): Error {
  if (!(error instanceof Error)) return new Error('failed with what is no Error')
  const { message, stack } = discreet(error)
  const kept = Object.assign(new Error(message), { name: error.name, stack })
  const { code } = error as NodeJS.ErrnoException
  return code === undefined ? kept : Object.assign(kept, { code })
}
