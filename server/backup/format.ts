/**
 * The archive: a first line that names the format, then frames. A frame is its kind (1 byte), the length of what follows
 * (4), a CRC-32 of both and of the content (4), and the content. The first holds the manifest; then come parts, each opened,
 * in blocks of at most 1 MiB that are compressed each by itself, and closed; the last frame ends the archive. What closes a
 * part, and the archive, holds the SHA-256 of all bytes before it. So nothing is believed before its CRC was right, memory
 * does not grow with the archive, and it can be written to a pipe and read from one.
 */
import { createHash, type Hash } from 'node:crypto'
import { promisify } from 'node:util'
import zlib from 'node:zlib'
import type { Applied } from '../db/migrate.ts'
import { Refusal } from '../lib/refusal.ts'

export const FORMAT = 1
const FIRST_WORDS = 'rollcall backup '
const HEAD_BYTES = 9
const BLOCK_BYTES = 2 ** 20
/** Of a frame's content: a block that can't be compressed is a little larger than it was, and a manifest may be long. */
const LONGEST_FRAME = 16 * 2 ** 20
/** Blocks that are compressed or unpacked at the same moment. */
const AT_ONCE = 3

const KINDS = { manifest: 1, open: 2, block: 3, close: 4, end: 5 } as const
type Kind = keyof typeof KINDS

/** What the archive is of. */
export interface Manifest {
  /** ISO 8601: the moment that it shows. */
  at: string
  /** Which Rollcall has written it, and from which PostgreSQL. */
  version: string
  postgres: string
  migrations: Applied[]
  /** The last numbers given out, by the sequence's name. */
  sequences: { name: string; value: string }[]
  /** The keys, as ROLLCALL_SECRET takes them. */
  secret: string
}

/** What a part is: rows of a table as COPY writes them, jobs that wait, or a file of the file store. */
export type PartHead = { table: string; columns: string[] } | { jobs: true } | { file: string }

/** A part to be written. `rows` is asked for when `data` has ended. */
export interface PartSource {
  head: PartHead
  data: AsyncIterable<Buffer>
  rows?: () => number
}

/** The bytes of an archive. */
export async function* archiveOf(manifest: Manifest, parts: AsyncIterable<PartSource>): AsyncGenerator<Buffer> {
  const hash = createHash('sha256')
  const hashed = (bytes: Buffer) => {
    hash.update(bytes)
    return bytes
  }
  const frame = (kind: Kind, content: Buffer | object) =>
    hashed(frameOf(kind, Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content))))
  yield hashed(Buffer.from(`${FIRST_WORDS}${FORMAT}\n`))
  yield frame('manifest', manifest)
  for await (const { head, data, rows } of parts) {
    yield frame('open', head)
    for await (const block of inOrder(blocksOf(data), pack)) yield frame('block', block)
    yield frame('close', { ...(rows && { rows: rows() }), sha256: digestOf(hash) })
  }
  yield frame('end', { sha256: digestOf(hash) })
}

function frameOf(kind: Kind, content: Buffer): Buffer {
  if (content.length > LONGEST_FRAME) throw new RangeError(`a frame of ${content.length} bytes`)
  const head = Buffer.allocUnsafe(HEAD_BYTES)
  head.writeUInt8(KINDS[kind], 0)
  head.writeUInt32BE(content.length, 1)
  head.writeUInt32BE(checksumOf(head, content), 5)
  return Buffer.concat([head, content])
}

const checksumOf = (head: Buffer, content: Buffer) => zlib.crc32(content, zlib.crc32(head.subarray(0, 5)))

/** Of all so far; more may follow. */
const digestOf = (hash: Hash) => hash.copy().digest('hex')

async function* blocksOf(data: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let waiting: Buffer[] = []
  let bytes = 0
  for await (const chunk of data) {
    for (let rest = chunk; rest.length > 0; ) {
      const taken = rest.subarray(0, BLOCK_BYTES - bytes)
      rest = rest.subarray(taken.length)
      waiting.push(taken)
      bytes += taken.length
      if (bytes < BLOCK_BYTES) continue
      yield Buffer.concat(waiting)
      waiting = []
      bytes = 0
    }
  }
  if (bytes > 0) yield Buffer.concat(waiting)
}

const zstdCompress = promisify<Buffer, zlib.ZstdOptions, Buffer>(zlib.zstdCompress)
const zstdDecompress = promisify<Buffer, zlib.ZstdOptions, Buffer>(zlib.zstdDecompress)

const pack = (block: Buffer) => zstdCompress(block, { params: { [zlib.constants.ZSTD_c_compressionLevel]: 1 } })

/** Does the work on a few at once, and answers in their order. */
async function* inOrder<T, U>(source: AsyncIterable<T>, work: (item: T) => Promise<U>): AsyncGenerator<U> {
  const running: Promise<U>[] = []
  for await (const item of source) {
    const started = work(item)
    started.catch(() => {}) // thrown when its turn comes, if it comes
    running.push(started)
    if (running.length >= AT_ONCE) yield await running.shift()!
  }
  for (const started of running) yield await started
}

/** Reads an archive from its beginning: `open`, then each part by `next` and `data` or `skip`. */
export class ArchiveReader {
  readonly manifest: Manifest
  readonly #frames: Frames
  #rows: number | undefined
  #isOpen = false

  private constructor(frames: Frames, manifest: Manifest) {
    this.#frames = frames
    this.manifest = manifest
  }

  /** Throws a Refusal for what is no archive, one of a newer format, and one whose first bytes are damaged. */
  static async open(source: AsyncIterable<Buffer>, name: string): Promise<ArchiveReader> {
    const frames = new Frames(source, name)
    await frames.readFirstLine()
    const { kind, content } = await frames.next()
    if (kind !== 'manifest') throw frames.damaged('it does not begin with what it is of')
    return new ArchiveReader(frames, frames.parsed(content))
  }

  /** The next part; undefined behind the last one, once the whole has been found right. */
  async next(): Promise<PartHead | undefined> {
    if (this.#isOpen) throw new Error('the part before has not been read')
    const { kind, content, before } = await this.#frames.next()
    if (kind === 'open') {
      this.#isOpen = true
      return this.#frames.parsed(content)
    }
    if (kind !== 'end') throw this.#frames.damaged('a part is missing')
    this.#frames.requireSame(before, content)
    await this.#frames.requireEnd()
    return undefined
  }

  /** What the open part holds. */
  data(): AsyncGenerator<Buffer> {
    const frames = this.#frames
    return inOrder(this.#blocks(), (block) =>
      zstdDecompress(block, { maxOutputLength: BLOCK_BYTES }).catch((error: Error) => {
        throw frames.damaged(`a block can't be unpacked (${error.message})`)
      }),
    )
  }

  /** Passes over the open part; it is checked all the same. */
  async skip(): Promise<void> {
    for await (const _block of this.#blocks());
  }

  /** That the part that was read last has, as written; 0 of a file. */
  get rows(): number {
    return this.#rows ?? 0
  }

  /** Throws a Refusal when the part that has just been read holds another number of rows than were written. */
  requireRows(found: number): void {
    if (found !== this.#rows) throw this.#frames.damaged(`${found} rows were found where ${this.#rows} were written`)
  }

  async *#blocks(): AsyncGenerator<Buffer> {
    for (;;) {
      const { kind, content, before } = await this.#frames.next()
      if (kind === 'block') {
        yield content
        continue
      }
      if (kind !== 'close') throw this.#frames.damaged('a part does not end')
      this.#rows = this.#frames.requireSame(before, content).rows
      this.#isOpen = false
      return
    }
  }
}

interface Frame {
  kind: Kind
  content: Buffer
  /** The SHA-256 of all bytes before this frame. */
  before: string
}

class Frames {
  readonly #bytes: AsyncIterator<Buffer>
  readonly #name: string
  readonly #hash = createHash('sha256')
  #rest: Buffer[] = []
  #held = 0
  #at = 0

  constructor(source: AsyncIterable<Buffer>, name: string) {
    this.#bytes = source[Symbol.asyncIterator]()
    this.#name = name
  }

  async readFirstLine(): Promise<void> {
    const words = await this.#take(FIRST_WORDS.length)
    if (words?.toString('latin1') !== FIRST_WORDS)
      throw new Refusal(`${this.#name} is no backup of Rollcall. ${NOTHING}`)
    let line = ''
    for (let next = await this.#take(1); next?.toString('latin1') !== '\n'; next = await this.#take(1)) {
      if (!next || line.length > 10) throw this.damaged('its first line does not end')
      line += next.toString('latin1')
    }
    this.#hash.update(`${FIRST_WORDS}${line}\n`)
    if (line !== String(FORMAT))
      throw /^[1-9]\d*$/.test(line)
        ? new Refusal(
            `${this.#name} has format ${line}, and this Rollcall knows ${FORMAT}: restore it with the one that wrote it. ${NOTHING}`,
          )
        : this.damaged('its first line names no format')
  }

  async next(): Promise<Frame> {
    const head = await this.#take(HEAD_BYTES)
    const length = head?.readUInt32BE(1) ?? 0
    if (length > LONGEST_FRAME) throw this.damaged('a length is wrong')
    const content = head && (await this.#take(length))
    if (!head || !content) throw this.damaged('its end is missing')
    if (checksumOf(head, content) !== head.readUInt32BE(5)) throw this.damaged('a checksum is wrong')
    const kind = (Object.keys(KINDS) as Kind[]).find((name) => KINDS[name] === head[0])
    if (!kind) throw this.damaged(`kind ${head[0]} is not known`)
    const before = kind === 'close' || kind === 'end' ? digestOf(this.#hash) : ''
    this.#hash.update(head).update(content)
    return { kind, content, before }
  }

  parsed<T>(content: Buffer): T {
    try {
      return JSON.parse(content.toString('utf8')) as T
    } catch {
      throw this.damaged('what it says of itself is no JSON')
    }
  }

  requireSame(before: string, content: Buffer): { rows?: number } {
    const { sha256, rows } = this.parsed<{ sha256: string; rows?: number }>(content)
    if (sha256 !== before) throw this.damaged('a checksum over all before is wrong')
    return rows === undefined ? {} : { rows }
  }

  async requireEnd(): Promise<void> {
    if (await this.#take(1)) throw this.damaged('it goes on behind its end')
  }

  damaged(how: string): Refusal {
    return new Refusal(`${this.#name} is damaged: ${how}, at byte ${this.#at}. ${NOTHING}`)
  }

  /** So many bytes; undefined where there are not so many. */
  async #take(count: number): Promise<Buffer | undefined> {
    while (this.#held < count) {
      const { done, value } = await this.#bytes.next()
      if (done) return undefined
      this.#rest.push(value)
      this.#held += value.length
    }
    const all = this.#rest.length === 1 ? this.#rest[0]! : Buffer.concat(this.#rest)
    const rest = all.subarray(count)
    this.#rest = rest.length > 0 ? [rest] : []
    this.#held = rest.length
    this.#at += count
    return all.subarray(0, count)
  }
}

const NOTHING = 'Nothing was restored'
