import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import type { TableSource } from './table.ts'
import { UnreadableFile } from './unreadable.ts'

export type Compression = 'gzip' | null

/** A file's bytes, uncompressed, from the start; each call opens it anew. Leaving the loop early closes it. */
export type Bytes = () => AsyncGenerator<Buffer>

/** Enough for a hundred records of most files, and for every signature. */
export const HEAD_BYTES = 64 * 1024

const MOST_CHUNK = 256 * 1024

/** Gzip by content: RFC 1952's two bytes, and the only method there is. */
export async function detectCompression(source: TableSource): Promise<Compression> {
  const head = await readHead(() => readStored(source), 3)
  return head[0] === 0x1f && head[1] === 0x8b && head[2] === 8 ? 'gzip' : null
}

/** The first bytes, fewer only when there are no more. */
export async function readHead(bytes: Bytes, length = HEAD_BYTES): Promise<Buffer> {
  const chunks: Buffer[] = []
  let read = 0
  for await (const chunk of bytes()) {
    chunks.push(chunk)
    read += chunk.length
    if (read >= length) break
  }
  return Buffer.concat(chunks).subarray(0, length)
}

/** @param mostInflated In bytes; a file that expands to more is refused when it has done so, with no more than a chunk held. */
export function bytesOf(source: TableSource, compression: Compression, mostInflated: number): Bytes {
  return compression === 'gzip' ? () => inflate(source, mostInflated) : () => readStored(source)
}

/** Large chunks in parts, as what is read of one is held at once. */
async function* readStored(source: TableSource): AsyncGenerator<Buffer> {
  for await (const chunk of (await source.open()) as AsyncIterable<Buffer>) {
    if (chunk.length <= MOST_CHUNK) yield chunk
    else for (let at = 0; at < chunk.length; at += MOST_CHUNK) yield chunk.subarray(at, at + MOST_CHUNK)
  }
}

async function* inflate(source: TableSource, mostInflated: number): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({ chunkSize: 64 * 1024 })
  // Failures of either side end the loop below; the callback is there so that none is left unhandled.
  const stored = await source.open()
  pipeline(stored, gunzip, () => {})
  let inflated = 0
  try {
    for await (const chunk of gunzip) {
      inflated += (chunk as Buffer).length
      if (inflated > mostInflated) {
        throw new UnreadableFile(
          `The gzip expands to more than ${mostInflated} bytes, which is the limit; split the file`,
        )
      }
      yield chunk as Buffer
    }
  } catch (error) {
    throw gzipFailure(error)
  } finally {
    stored.destroy()
    gunzip.destroy()
  }
}

function gzipFailure(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'Z_BUF_ERROR') {
    return new UnreadableFile('The gzip is cut off before its end; upload the whole file', null, error)
  }
  if (typeof code === 'string' && code.startsWith('Z_')) {
    return new UnreadableFile('The gzip is damaged; compress the file again', null, error)
  }
  return error
}
