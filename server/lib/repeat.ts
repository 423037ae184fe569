/**
 * Does something now and every `everyMs` milliseconds, but for those at which it is still being done; `stop` waits for its end.
 * `act` sees to its own failures.
 */
export function repeat(everyMs: number, act: () => Promise<unknown>): { stop: () => Promise<void> } {
  let running: Promise<unknown> | undefined
  const look = () => {
    running ??= act().finally(() => {
      running = undefined
    })
  }
  look()
  const timer = setInterval(look, everyMs)
  return {
    async stop() {
      clearInterval(timer)
      await running
    },
  }
}
