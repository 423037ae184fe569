import { setTimeout as sleep } from 'node:timers/promises'

/** Told the moment, in ms since the epoch, by which it must have ended. */
type StopStep = (deadline: number) => Promise<unknown>

/** What has been started so far, and so must be stopped: in the reverse order, each step once, whatever fails. */
export class Run {
  readonly #stop = new AbortController()
  readonly #steps: StopStep[] = []

  /** Aborted once something asks for the stop. */
  get signal(): AbortSignal {
    return this.#stop.signal
  }

  /** Asks for the stop; only the first reason counts. */
  requestStop(reason: Error): void {
    this.#stop.abort(reason)
  }

  /** Waits until something asks for the stop; answers its reason. */
  stopRequested(): Promise<Error> {
    if (this.signal.aborted) return Promise.resolve(this.signal.reason)
    return new Promise((resolve) =>
      this.signal.addEventListener('abort', () => resolve(this.signal.reason), { once: true }),
    )
  }

  onStop(step: StopStep): void {
    this.#steps.push(step)
  }

  /** Runs the steps; one that fails is reported and does not keep the others from running. */
  async tearDown(deadline: number, onError: (error: unknown) => void): Promise<void> {
    for (const step of this.#steps.reverse().splice(0)) {
      try {
        await step(deadline)
      } catch (error) {
        onError(error)
      }
    }
  }
}

/** Waits for `work`, but not beyond the deadline (ms since the epoch); answers whether it ended in time. */
export async function inTime(work: Promise<unknown>, deadline: number): Promise<boolean> {
  const late = sleep(Math.max(0, deadline - Date.now()), false, { ref: false })
  return Promise.race([work.then(() => true), late])
}
