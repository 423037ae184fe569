const [S, MIN, H] = [1, 60, 3600]

/** Seconds from one try to the next: growing, 23.7 hours in all. */
export const DELAYS_S = [5 * S, 30 * S, 2 * MIN, 10 * MIN, 30 * MIN, 1 * H, 2 * H, 4 * H, 6 * H, 10 * H] as const

/** Each is up to so much shorter or longer, so that what failed together does not come back together. */
const JITTER = 0.15

/** Seconds to wait after the n-th try, from 1; undefined when it was the last. */
export function delayAfter(tries: number, random: () => number = Math.random): number | undefined {
  const delay = DELAYS_S[tries - 1]
  return delay === undefined ? undefined : delay * (1 - JITTER + 2 * JITTER * random())
}
