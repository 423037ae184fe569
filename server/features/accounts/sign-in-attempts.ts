import { createHash } from 'node:crypto'
import { Attempts } from '../../http/attempts.ts'
import { AppError } from '../../lib/app-error.ts'

const WINDOW_MS = 15 * 60_000

/**
 * How often a password may be wrong in 15 minutes: `max` times for an address of a user from one network, five times that
 * from a network, ten times that for an address. So who guesses from one network does not lock the user out elsewhere.
 */
export class SignInAttempts {
  readonly #ofBoth: Attempts
  readonly #ofNetwork: Attempts
  readonly #ofAddress: Attempts

  /** @param max 0 is no limit. */
  constructor(max: number) {
    this.#ofBoth = new Attempts(max, WINDOW_MS)
    this.#ofNetwork = new Attempts(5 * max, WINDOW_MS)
    this.#ofAddress = new Attempts(10 * max, WINDOW_MS)
  }

  /** Counts an attempt, before anything is looked up or hashed; what it returns takes it back. Throws rate_limited. */
  take(email: string, network: string): () => void {
    const address = createHash('sha256').update(email).digest('base64')
    try {
      const taken = [
        this.#ofBoth.take(`${address} ${network}`),
        this.#ofNetwork.take(network),
        this.#ofAddress.take(address),
      ]
      return () => {
        for (const takeBack of taken) takeBack()
      }
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'rate_limited') throw error
      const minutes = Math.ceil(Number(error.details.retry_after_s) / 60)
      throw new AppError(
        'rate_limited',
        `Too many wrong passwords: try again in ${minutes} minute${minutes === 1 ? '' : 's'}`,
        undefined,
        error,
        error.details,
      )
    }
  }
}
