import pg from 'pg'

/**
 * What may stand of a job's failure in the queue's table, which keeps it for days: never what PostgreSQL quotes of the
 * values it was given, as they may be somebody's address.
 */
export function failureToKeep(error: unknown): Error {
  if (!(error instanceof Error)) return new Error('failed with what is no Error')
  const quotes = error instanceof pg.DatabaseError && /^22/.test(error.code ?? '') // data exceptions
  const kept = new Error(quotes ? 'PostgreSQL refused a value' : error.message)
  kept.name = error.name
  kept.stack = `${kept.name}: ${kept.message}\n${placesOf(error)}`
  const { code } = error as NodeJS.ErrnoException
  return code === undefined ? kept : Object.assign(kept, { code })
}

/** The lines of the stack that say where: those before are the message. */
function placesOf({ stack = '' }: Error): string {
  return stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .join('\n')
}
