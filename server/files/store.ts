import type { Readable } from 'node:stream'
import { Transform, type TransformCallback } from 'node:stream'
import { AppError } from '../lib/app-error.ts'

/**
 * Where uploaded and exported files are kept: a directory, or a bucket that speaks S3. Keys are
 * `ACCOUNT/uploads/NAME`, `ACCOUNT/exports/NAME`, `ACCOUNT/erasures/NAME`, `ACCOUNT/words/NAME`; their parts have letters, digits, `-`, `_` and `.`, and begin with none
 * of the latter. What the store itself can't do (a full disk, a bucket out of reach) is an AppError `unavailable`.
 */
export interface FileStore {
  /**
   * Stores what the stream holds under the key, whole or not at all, also when the process is killed meanwhile; answers
   * its bytes. Another file under that key is replaced. Throws `too_large` beyond `mostBytes`, and what the stream or
   * the signal ends with.
   */
  write(key: string, source: Readable, options?: { mostBytes?: number; signal?: AbortSignal }): Promise<number>
  /** A file from byte `start` to byte `end`, that one included. Throws `not_found`. */
  read(key: string, range?: { start: number; end?: number }): Promise<Readable>
  /** In bytes; null when there is no such file. */
  size(key: string): Promise<number | null>
  /** The keys below a folder, in no order: `list('12/erasures')`. None when there is no such folder. */
  list(folder: string): Promise<string[]>
  /** A file that is not there is removed already. */
  remove(key: string): Promise<void>
  /** Removes all below a folder: `removeAll('12/exports')` what is `12/exports/…`. */
  removeAll(folder: string): Promise<void>
  /** Removes what writes that were cut off more than a day ago have left; none of it was ever under a key. */
  sweep(): Promise<void>
}

/** Where a store is, for another thread to open it as well: a bucket's address, or Rollcall's directory. */
export interface FilesAt {
  url: string | undefined
  home: string
}

/** Leftovers of this age are no longer being written, as no upload and no export takes so long. */
export const LEFTOVER_MS = 86_400_000

/** Throws a RangeError for what is no key: the caller's bug, as keys are made from ids and never given. */
export function checkKey(key: string): void {
  if (!/^[\w-][\w.-]*(\/[\w-][\w.-]*)*$/.test(key)) throw new RangeError(`not a key of the file store: ${key}`)
}

/** Passes bytes on and counts them; fails beyond `mostBytes`. */
export class Meter extends Transform {
  bytes = 0
  readonly #mostBytes: number

  constructor(mostBytes = Number.POSITIVE_INFINITY) {
    super()
    this.#mostBytes = mostBytes
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.bytes += chunk.length
    if (this.bytes > this.#mostBytes) done(tooLarge(this.#mostBytes))
    else done(null, chunk)
  }
}

const tooLarge = (mostBytes: number) =>
  new AppError('too_large', `The file is too large: at most ${mostBytes} bytes are taken`)
