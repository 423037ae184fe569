import { TimeoutError } from './errors.ts'

const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 8_000

/**
 * Milliseconds before the next attempt, after `attempt` of them: full jitter, uniform over [0, min(8 s, 0.5 s · 2^(attempt - 1))).
 * @param random Uniform in [0, 1); a parameter so that a test can fix it.
 */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  return random() * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempt - 1))
}

/** Milliseconds that `Retry-After` asks for, in seconds or as a date; undefined where it asks for nothing. */
export function retryAfterMs(header: string | null, now = Date.now()): number | undefined {
  if (header === null || header.trim() === '') return undefined
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - now
  return Number.isNaN(ms) ? undefined : Math.max(0, ms)
}

/** Waits; throws the signal's reason as soon as it is aborted. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const stop = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, ms)
    signal?.addEventListener('abort', stop, { once: true })
  })
}

/**
 * Runs work with a signal that is aborted by the caller's own, or when the time is over; then throws the caller's reason or a
 * TimeoutError, whatever the work throws. 0 ms is no limit. (AbortSignal.any is not there in Node 18.)
 */
export async function within<Result>(
  timeoutMs: number,
  outer: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  outer?.throwIfAborted()
  const controller = new AbortController()
  const stop = () => controller.abort(outer?.reason)
  outer?.addEventListener('abort', stop, { once: true })
  const late = new TimeoutError(`There was no answer within ${timeoutMs} ms`)
  const timer = timeoutMs > 0 ? setTimeout(() => controller.abort(late), timeoutMs) : undefined
  try {
    const result = await work(controller.signal)
    // Whoever was given a response still reads its body, and may break that off.
    if (!(result instanceof Response)) outer?.removeEventListener('abort', stop)
    return result
  } catch (error) {
    outer?.removeEventListener('abort', stop)
    throw controller.signal.aborted ? controller.signal.reason : error
  } finally {
    clearTimeout(timer)
  }
}
