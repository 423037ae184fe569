import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { close as closeFile, createWriteStream, open } from 'node:fs'
import { unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { type Entry, fromFdPromise, type ZipFile } from 'yauzl'
import type { Bytes } from './source-bytes.ts'
import { UnreadableFile } from './unreadable.ts'

/** What a workbook may expand to, apart from the limit on every file: a million rows of ten columns are 0.4 GB of XML. */
const MOST_INFLATED = 4 * 2 ** 30
/** A workbook has a dozen parts, and one for each picture. */
const MOST_ENTRIES = 10_000
/** Sheets shrink to a tenth, very even ones to a fiftieth; deflate can't do more than a thousand, which bombs come close to. */
const MOST_RATIO = 200
/** Below it any ratio will do. */
const SMALL = 10 * 2 ** 20

const DAMAGED = 'The workbook is damaged or incomplete; open it in a spreadsheet and save it again'

/** The parts of a zip by name, read from a copy on disk, as a zip's directory stands at its end. */
export interface Archive {
  has: (name: string) => boolean
  names: () => string[]
  /** The part inflated, in chunks. Throws UnreadableFile when it has not the size that the directory says. */
  read: (name: string) => AsyncGenerator<Buffer>
}

/**
 * Copies the bytes into a file without a name, so that it is gone with the process, and reads what is in it. Throws
 * UnreadableFile when it is no zip, encrypted, or its directory says that it expands to more than the limits.
 *
 * @param folder Where the copy is written.
 * @param mostInflated In bytes.
 */
export async function withArchive<Result>(
  bytes: Bytes,
  folder: string,
  mostInflated: number,
  use: (archive: Archive) => Promise<Result>,
): Promise<Result> {
  const { archive, close } = await openArchive(bytes, folder, mostInflated)
  try {
    return await use(archive)
  } finally {
    await close()
  }
}

/** As `withArchive`, for callers that read while they yield; `close` frees the copy. */
export async function openArchive(bytes: Bytes, folder: string, mostInflated: number) {
  const path = join(folder, `rollcall-reading-${randomUUID()}`)
  const file = await promisify(open)(path, 'wx+', 0o600)
  let zip: ZipFile | null = null
  const close = async () => {
    if (zip === null) return promisify(closeFile)(file)
    const closed = once(zip, 'close') // when the last of its parts that is being read has let go
    zip.close()
    await closed
  }
  try {
    await unlink(path)
    await pipeline(bytes, createWriteStream(path, { fd: file, autoClose: false }))
    zip = await fromFdPromise(file, { autoClose: false }).catch(asDamaged)
    const entries = await listEntries(zip, Math.min(mostInflated, MOST_INFLATED))
    return { archive: archiveOf(zip, entries), close }
  } catch (error) {
    await close()
    throw error
  }
}

/**
 * Inflates every part that is text and throws it away: a directory may lie about sizes, and damage may be at the end. After
 * this, nothing that is read of the archive is larger than the limits allow. About 4 ms for a megabyte of the zip.
 */
export async function inflateAll(archive: Archive): Promise<void> {
  for (const name of archive.names()) {
    if (!/\.(xml|rels)$/i.test(name)) continue
    for await (const _ of archive.read(name));
  }
}

async function listEntries(zip: ZipFile, mostInflated: number): Promise<Map<string, Entry>> {
  if (zip.entryCount > MOST_ENTRIES) {
    throw new UnreadableFile(`The workbook has ${zip.entryCount} parts; at most ${MOST_ENTRIES} can be read`)
  }
  const entries = new Map<string, Entry>()
  let inflated = 0
  try {
    for await (const entry of zip.eachEntry()) {
      if (entry.isEncrypted()) throw new UnreadableFile('The workbook is encrypted; save it without a password')
      inflated += entry.uncompressedSize
      if (inflated > mostInflated) {
        throw new UnreadableFile(`The workbook expands to more than ${mostInflated} bytes; save it as CSV`)
      }
      if (entry.uncompressedSize > SMALL && entry.uncompressedSize > entry.compressedSize * MOST_RATIO) {
        throw new UnreadableFile('The workbook expands to a suspicious size; save it as CSV')
      }
      entries.set(entry.fileName, entry)
    }
  } catch (error) {
    asDamaged(error)
  }
  return entries
}

function archiveOf(zip: ZipFile, entries: ReadonlyMap<string, Entry>): Archive {
  return {
    has: (name) => entries.has(name),
    names: () => [...entries.keys()],
    async *read(name) {
      const entry = entries.get(name)
      if (!entry) throw new UnreadableFile(DAMAGED)
      try {
        // Checks what is inflated against the entry's size, which the limits allow.
        for await (const chunk of await zip.openReadStreamPromise(entry)) yield chunk as Buffer
      } catch (error) {
        asDamaged(error)
      }
    },
  }
}

/** What the zip itself is to blame for; a failing disk is not. */
function asDamaged(error: unknown): never {
  const isDisk = error instanceof Error && 'syscall' in error
  throw isDisk || error instanceof UnreadableFile ? error : new UnreadableFile(DAMAGED, null, error)
}
