import pg from 'pg'

/**
 * An error's message and stack as they may be kept or logged: never with what PostgreSQL quotes of the values it was given,
 * as they may be somebody's address.
 */
export function discreet(error: Error): { message: string; stack: string } {
  const quotes = error instanceof pg.DatabaseError && /^22/.test(error.code ?? '') // data exceptions
  const message = quotes ? 'PostgreSQL refused a value' : error.message
  return { message, stack: `${error.name}: ${message}\n${placesOf(error)}` }
}

/** The lines of the stack that say where: those before are the message. */
function placesOf({ stack = '' }: Error): string {
  return stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .join('\n')
}
