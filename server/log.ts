import { type DestinationStream, destination, type Logger, pino } from 'pino'
import { discreet } from './db/discreet.ts'

/**
 * What is told of an error beside its type, and its message and stack as they are `discreet`. Not more: `detail` and `where` of PostgreSQL quote what
 * it was given, which may be somebody's address, and a lost connection carries all its settings.
 */
const TOLD = ['code', 'severity', 'schema', 'table', 'column', 'constraint', 'routine'] as const

/** One JSON line a message, on stderr: stdout is for what was asked for. `flush` before the process ends. */
export function openLog(level: string): { log: Logger; flush: () => void } {
  const stderr = destination({ dest: 2, sync: false })
  return {
    log: logTo(level, stderr),
    flush() {
      try {
        stderr.flushSync()
      } catch {
        // Not opened yet, or closed by the reader: nothing more can be said.
      }
    },
  }
}

/** The same to any stream. */
export function logTo(level: string, stream: DestinationStream): Logger {
  return pino({ level, base: { pid: process.pid }, serializers: { err: describeError } }, stream)
}

function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: String(error) }
  const { name, cause } = error
  const told = TOLD.map((key) => [key, (error as unknown as Record<string, unknown>)[key]] as const)
  return {
    type: name,
    ...discreet(error),
    ...Object.fromEntries(told.filter(([, value]) => value !== undefined)),
    ...(cause === undefined ? {} : { cause: describeError(cause) }),
  }
}
