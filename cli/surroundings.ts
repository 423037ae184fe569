import { homedir } from 'node:os'
import type { Readable, Writable } from 'node:stream'

/** All that a command sees of where it runs, so that a test can run it in its own process. */
export interface Surroundings {
  env: NodeJS.Dict<string>
  stdin: Readable & { isTTY?: boolean; setRawMode?: (on: boolean) => unknown }
  stdout: Writable & { isTTY?: boolean; columns?: number }
  stderr: Writable & { isTTY?: boolean; columns?: number }
  /** The user's own directory. */
  home: string
  /** Calls the listener when the user asks for the end (Ctrl-C, SIGTERM); answers how to stop listening. */
  onInterrupt: (listener: () => void) => () => void
}

/** Those of this process. */
export function ownSurroundings(): Surroundings {
  return {
    env: process.env,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    home: homedir(),
    onInterrupt(listener) {
      const signals = ['SIGINT', 'SIGTERM'] as const
      for (const signal of signals) process.on(signal, listener)
      return () => {
        for (const signal of signals) process.off(signal, listener)
      }
    },
  }
}
