import { type DestinationStream, destination, type Logger, pino, stdSerializers } from 'pino'

/** Where PostgreSQL quotes what it was given, which may be somebody's address. */
const QUOTES = ['detail', 'where', 'internalQuery', 'hint'] as const

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

function logTo(level: string, stream: DestinationStream): Logger {
  return pino({ level, base: { pid: process.pid }, serializers: { err: withoutQuotes } }, stream)
}

function withoutQuotes(error: Error): Record<string, unknown> {
  const { ...told } = stdSerializers.err(error) as unknown as Record<string, unknown>
  for (const name of QUOTES) delete told[name]
  return told
}
