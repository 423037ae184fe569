import { copyOf } from '../../lib/text.ts'

/** Rows gathered as the text of a COPY, to be handed on in the order of their keys. */
export class CopyBatch {
  readonly #keys: string[] = []
  /** Where in `#bytes` each row ends, in the order in which they came. */
  readonly #ends: number[] = []
  #bytes: Buffer
  #length = 0

  /** @param size bytes that it takes; a row that is longer by itself is taken all the same. */
  constructor(size: number) {
    this.#bytes = Buffer.allocUnsafe(size)
  }

  /** Takes a row, unless there is no room left for it: then it answers false. */
  add(key: string, text: string): boolean {
    const most = 3 * text.length // bytes in UTF-8, of a UTF-16 unit
    if (this.#length + most > this.#bytes.length) {
      if (this.#keys.length > 0) return false
      this.#bytes = Buffer.allocUnsafe(most)
    }
    this.#length += this.#bytes.write(text, this.#length)
    this.#keys.push(copyOf(key))
    this.#ends.push(this.#length)
    return true
  }

  /** All its rows in pieces of `size` bytes, or one row: by their keys, and those of one key as they came. */
  *inOrder(size: number): Generator<Buffer> {
    const [keys, ends] = [this.#keys, this.#ends]
    const order = keys.map((_, at) => at).sort((a, b) => (keys[a]! < keys[b]! ? -1 : keys[a]! > keys[b]! ? 1 : a - b))
    let piece = Buffer.allocUnsafe(size)
    let filled = 0
    for (const at of order) {
      const start = at === 0 ? 0 : ends[at - 1]!
      const length = ends[at]! - start
      if (filled + length > piece.length) {
        if (filled > 0) yield piece.subarray(0, filled)
        piece = Buffer.allocUnsafe(Math.max(size, length))
        filled = 0
      }
      filled += this.#bytes.copy(piece, filled, start, ends[at])
    }
    yield piece.subarray(0, filled)
  }
}
