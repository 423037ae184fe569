/** Does something now and every `everyMs` milliseconds; `stop` waits for what is being done. `act` sees to its own failures. */
export function repeat(everyMs: number, act: () => Promise<unknown>): { stop: () => Promise<void> } {
  let running: Promise<unknown> = Promise.resolve()
  const look = () => {
    running = act()
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
