import { setTimeout as sleep } from 'node:timers/promises'

/** Waits until something holds; throws when it does not within so many milliseconds, which are there to end a hang. */
export async function until(holds: () => unknown, ms = 60_000): Promise<void> {
  for (const end = performance.now() + ms; !(await holds()); await sleep(10))
    if (performance.now() > end) throw new Error(`not within ${ms} ms: ${holds}`)
}
