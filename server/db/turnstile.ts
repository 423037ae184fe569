/** Lets so many acts be under way at once; the others wait, and come in the order in which they asked. */
export class Turnstile {
  readonly #most: number
  readonly #waiting: (() => void)[] = []
  readonly #whenEmpty: (() => void)[] = []
  #inside = 0

  constructor(most: number) {
    this.#most = most
  }

  async pass<T>(act: () => Promise<T>): Promise<T> {
    if (this.#inside < this.#most) this.#inside++
    else await new Promise<void>((resolve) => this.#waiting.push(resolve)) // and takes the place of one that has ended
    try {
      return await act()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else if (--this.#inside === 0) for (const tell of this.#whenEmpty.splice(0)) tell()
    }
  }

  /** The same if it need not wait; else undefined, and nothing is done. */
  passNow<T>(act: () => Promise<T>): Promise<T> | undefined {
    return this.#inside < this.#most ? this.pass(act) : undefined
  }

  /** Waits until none is under way and none waits. */
  async emptied(): Promise<void> {
    if (this.#inside > 0) await new Promise<void>((resolve) => this.#whenEmpty.push(resolve))
  }
}
