import { createHash, randomUUID } from 'node:crypto'
import { Transform } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import type { FileStore } from '../../files/store.ts'
import { AppError, invalid } from '../../lib/app-error.ts'
import { isStorable } from '../../lib/text.ts'
import type { Part } from './options.ts'

/** A file that has come, and what came with it. */
export interface Upload {
  fileKey: string
  fileName: string | null
  fileBytes: number
  fileSha256: string
  parts: Part[]
}

const MOST_PARTS = 2000
const LONGEST_PART = 1_048_576
/** What all parts beside the file may say together: they are held until the file has come, which so many of them could outgrow. */
const MOST_SAID = 4 * LONGEST_PART

/**
 * Takes a form: its file is streamed into the store wherever it stands among the parts. Throws `invalid` and `too_large`;
 * no file is then left behind, and none after a connection that was cut.
 */
export async function receiveUpload(request: FastifyRequest, files: FileStore, mostBytes: number): Promise<Upload> {
  if (!request.isMultipart())
    throw new AppError('bad_request', 'Send the file in a form (multipart/form-data), or contacts as JSON')
  const { accountId } = request.caller
  const parts: Part[] = []
  let file: Omit<Upload, 'parts'> | undefined
  let said = 0
  try {
    const limits = { files: 1, parts: MOST_PARTS, fieldSize: LONGEST_PART, fileSize: mostBytes + 1 }
    for await (const part of request.parts({ limits })) {
      if (part.type === 'field') {
        if (part.valueTruncated)
          throw invalid({ [part.fieldname]: [`is too long (maximum is ${LONGEST_PART} characters)`] })
        const value = String(part.value)
        said += value.length
        if (said > MOST_SAID)
          throw invalid({ base: [`says too much beside the file (maximum is ${MOST_SAID} characters in all)`] })
        parts.push({ name: part.fieldname, value })
        continue
      }
      if (part.fieldname !== 'file')
        throw invalid({ [part.fieldname]: ['is a file where none is expected: name its part `file`'] })
      file = { ...(await store(part.file, files, accountId, mostBytes)), fileName: nameOf(part.filename) }
    }
    if (!file) throw invalid({ file: ["can't be blank: send it as the part `file` of the form"] })
    return { ...file, parts }
  } catch (error) {
    if (file) await files.remove(file.fileKey)
    throw failureOf(error)
  }
}

async function store(source: NodeJS.ReadableStream, files: FileStore, accountId: number, mostBytes: number) {
  const fileKey = `${accountId}/uploads/${randomUUID()}`
  const hash = createHash('sha256')
  const hashed = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk)
      done(null, chunk)
    },
  })
  source.on('error', (error) => hashed.destroy(error))
  const fileBytes = await files.write(fileKey, source.pipe(hashed), { mostBytes })
  return { fileKey, fileBytes, fileSha256: hash.digest('hex') }
}

/** What a browser calls the file, for people to know it again; never used as a path. */
function nameOf(name: string | undefined): string | null {
  const shown =
    name
      ?.replace(/^.*[\\/]/, '')
      .trim()
      .slice(0, 255) ?? ''
  return shown !== '' && isStorable(shown) ? shown : null
}

function failureOf(error: unknown): unknown {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'FST_FILES_LIMIT':
      return invalid({ file: ['is there twice: send one file'] })
    case 'FST_PARTS_LIMIT':
    case 'FST_FIELDS_LIMIT':
      return invalid({ base: [`has too many parts (maximum is ${MOST_PARTS})`] })
    case 'FST_PROTO_VIOLATION':
      return invalid({ base: ['has a part with a name that is not allowed'] })
    default:
      return error
  }
}
