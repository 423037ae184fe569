import type { Operations } from './operations.ts'
import type { Request } from './transport.ts'

/** A file that is imported: as a browser or `fs.openAsBlob` gives it, as bytes or text, or as they come. */
export type ImportFile = Blob | Uint8Array | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array | string> | string

export type ImportOptions = Omit<NonNullable<Operations['createImport']['input']['form']>, 'file'> & {
  /** What people know the file by. */
  file_name?: string
  list_id?: number
}

/**
 * A form with a file and options. What comes as a stream goes out as one, and so can be sent only once. Browsers send no
 * streams but Chromium's over HTTP/2: there it is gathered first, in blobs, which they keep on disk when they grow.
 */
export async function formOf(
  file: ImportFile,
  options: ImportOptions,
  signal?: AbortSignal,
): Promise<NonNullable<Request['raw']>> {
  const { file_name: name = nameOf(file), ...rest } = options
  const parts = partsOf(rest)
  if (file instanceof Blob || file instanceof Uint8Array || typeof file === 'string') {
    const form = new FormData()
    for (const [key, value] of parts) form.append(key, value)
    form.append('file', file instanceof Blob ? file : new Blob([file as Uint8Array<ArrayBuffer> | string]), name)
    return { body: form, canRepeat: true }
  }
  const boundary = `rollcall-${Math.random().toString(36).slice(2)}${Math.random().toString(36).slice(2)}`
  const pieces = inPieces(encoded(boundary, parts, name, chunksOf(file)))
  const contentType = `multipart/form-data; boundary=${boundary}`
  if (isBrowser()) return { body: await gathered(pieces, signal), contentType, canRepeat: true }
  return {
    body: streamOf(pieces),
    contentType,
    canRepeat: false,
    stop: async () => void (await pieces.return(undefined)),
  }
}

/** All browsers say so, for the sake of pages from the nineties; no other platform does. */
function isBrowser(): boolean {
  return globalThis.navigator?.userAgent?.startsWith('Mozilla/') === true
}

/** All pieces as one. An abort is not waited for by a source that has nothing to give just now. */
async function gathered(pieces: AsyncGenerator<Uint8Array>, signal?: AbortSignal): Promise<Blob> {
  const blobs: Blob[] = []
  let stop = () => {}
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal?.reason)
  })
  aborted.catch(() => {}) // when nobody races it any more
  signal?.throwIfAborted()
  signal?.addEventListener('abort', stop, { once: true })
  try {
    for (;;) {
      const { done, value } = await Promise.race([pieces.next(), aborted])
      if (done) return new Blob(blobs)
      blobs.push(new Blob([value as Uint8Array<ArrayBuffer>]))
    }
  } finally {
    signal?.removeEventListener('abort', stop)
    pieces.return(undefined).catch(() => {})
  }
}

/** Options as texts: lists part by part, objects as JSON. */
function partsOf(options: object): [string, string][] {
  return Object.entries(options).flatMap(([key, value]): [string, string][] => {
    if (value === undefined) return []
    if (Array.isArray(value)) return value.map((item) => [key, String(item)])
    return [[key, typeof value === 'object' ? JSON.stringify(value) : String(value)]]
  })
}

function nameOf(file: ImportFile): string {
  return (file instanceof Blob && (file as File).name) || 'contacts'
}

async function* encoded(
  boundary: string,
  parts: [string, string][],
  name: string,
  file: AsyncIterable<Uint8Array | string>,
): AsyncGenerator<Uint8Array> {
  const text = new TextEncoder()
  const head = (disposition: string) => `--${boundary}\r\nContent-Disposition: form-data; ${disposition}\r\n`
  for (const [key, value] of parts) yield text.encode(`${head(`name="${escaped(key)}"`)}\r\n${value}\r\n`)
  yield text.encode(`${head(`name="file"; filename="${escaped(name)}"`)}Content-Type: application/octet-stream\r\n\r\n`)
  for await (const chunk of file) yield typeof chunk === 'string' ? text.encode(chunk) : chunk
  yield text.encode(`\r\n--${boundary}--\r\n`)
}

/** As browsers write it in a form. */
function escaped(name: string): string {
  return name.replace(/["\r\n]/g, (sign) => encodeURIComponent(sign))
}

/** Not every browser can go through a stream with `for await`. */
async function* chunksOf(
  file: ReadableStream<Uint8Array> | AsyncIterable<Uint8Array | string>,
): AsyncGenerator<Uint8Array | string> {
  if (!(file instanceof ReadableStream)) return yield* file
  const reader = file.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    // When the request was broken off, whoever fills the stream is told to stop.
    await reader.cancel()
  }
}

/** Bytes that go out at once: lines one by one would cost more in handling than in sending. */
const PIECE = 256 * 1024

/** The same bytes in larger pieces, with a turn of the event loop at each: a source that never waits would keep it to itself. */
async function* inPieces(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] = []
  let size = 0
  for await (const chunk of chunks) {
    held.push(chunk)
    size += chunk.length
    if (size < PIECE) continue
    yield joined(held, size)
    held = []
    size = 0
    await new Promise((resolve) => setTimeout(resolve))
  }
  if (size > 0) yield joined(held, size)
}

function joined(chunks: readonly Uint8Array[], size: number): Uint8Array {
  if (chunks.length === 1) return chunks[0]!
  const whole = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}

function streamOf(chunks: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await chunks.next()
      if (done) controller.close()
      else controller.enqueue(value)
    },
    async cancel() {
      await chunks.return(undefined)
    },
  })
}
