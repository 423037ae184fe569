import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  paginateListObjectsV2,
  S3Client,
} from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { AppError, notFound } from '../lib/app-error.ts'
import type { Bucket } from '../lib/storage-url.ts'
import { checkKey, type FileStore, LEFTOVER_MS, Meter } from './store.ts'

/** S3 takes 10,000 parts of a file, so files up to 80 GB; two parts at a time are in memory. */
const PART_BYTES = 8 * 2 ** 20
const PARTS_AT_ONCE = 2

const CONNECT_MS = 5000
/** For an answer to begin, or to go on. */
const SILENCE_MS = 60_000

/** Files in a bucket. A file appears under its key when its last part has been acknowledged, and never before. */
export function s3Store({ endpoint, bucket, prefix, region, isPathStyle, credentials }: Bucket): FileStore {
  const client = new S3Client({
    endpoint,
    region,
    forcePathStyle: isPathStyle,
    ...(credentials && { credentials }),
    // Checksums beyond those that S3 asks for are refused by several servers that speak it.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: CONNECT_MS, requestTimeout: SILENCE_MS, throwOnRequestTimeout: true },
  })
  const at = (key: string) => {
    checkKey(key)
    return { Bucket: bucket, Key: prefix + key }
  }

  return {
    async write(key, source, { mostBytes, signal } = {}) {
      const meter = new Meter(mostBytes)
      const upload = new Upload({
        client,
        params: { ...at(key), Body: meter },
        partSize: PART_BYTES,
        queueSize: PARTS_AT_ONCE,
      })
      // A stream that breaks off fails the meter, and with it the upload, which then takes back its parts. The upload's
      // own `abort` would not wait for that.
      const fed = pipeline(source, meter, { ...(signal && { signal }) })
      const stored = upload.done().finally(() => {
        meter.destroy()
        source.destroy()
      })
      // A bucket may take a minute to fail what was sent: who has given up does not wait, and the parts go later. So does
      // the whole, where its last part was already on the way.
      const settled = Promise.allSettled([fed, stored])
      const [feeding, storing] = await Promise.race([settled, ...(signal ? [abortOf(signal)] : [])]).catch(
        (reason: unknown) => {
          stored.then(() => client.send(new DeleteObjectCommand(at(key)))).catch(() => {}) // it has failed, as it should
          throw reason
        },
      )
      // Of a store that has failed the stream knows only that nobody reads it any more.
      if (storing.status === 'rejected' && !isBrokenOff(storing.reason)) throw storeFailure(storing.reason)
      if (feeding.status === 'rejected') throw storeFailure(feeding.reason)
      if (storing.status === 'rejected') throw storeFailure(storing.reason)
      return meter.bytes
    },

    async read(key, range) {
      const bytes = range && { Range: `bytes=${range.start}-${range.end ?? ''}` }
      return attempt(async () => (await client.send(new GetObjectCommand({ ...at(key), ...bytes }))).Body as Readable)
    },

    async size(key) {
      try {
        return (await client.send(new HeadObjectCommand(at(key)))).ContentLength ?? 0
      } catch (error) {
        if (isMissing(error)) return null
        throw storeFailure(error)
      }
    },

    async list(folder) {
      checkKey(folder)
      return attempt(async () => {
        const keys: string[] = []
        const below = { Bucket: bucket, Prefix: `${prefix}${folder}/` }
        for await (const { Contents = [] } of paginateListObjectsV2({ client }, below))
          keys.push(...Contents.map(({ Key }) => Key!.slice(prefix.length)))
        return keys
      })
    },

    async remove(key) {
      await attempt(() => client.send(new DeleteObjectCommand(at(key))))
    },

    async removeAll(folder) {
      checkKey(folder)
      await attempt(async () => {
        for await (const { Contents = [] } of paginateListObjectsV2(
          { client },
          { Bucket: bucket, Prefix: `${prefix}${folder}/` },
        )) {
          if (Contents.length === 0) continue
          const Objects = Contents.map(({ Key }) => ({ Key }))
          await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }))
        }
      })
    },

    async sweep() {
      await attempt(async () => {
        const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix }))
        for (const { Key, UploadId, Initiated } of Uploads) {
          const isOurs = /^\d+\//.test(Key?.slice(prefix.length) ?? '') // others may keep files in the bucket too
          if (!isOurs || !Initiated || Initiated.getTime() > Date.now() - LEFTOVER_MS) continue
          await client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }))
        }
      })
    },
  }
}

/** Rejects once the signal is given. */
function abortOf(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason)
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

async function attempt<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    throw isMissing(error) ? notFound() : storeFailure(error)
  }
}

interface S3Error extends Error {
  code?: string
  $metadata?: { httpStatusCode?: number }
}

const isMissing = (error: unknown) => ['NoSuchKey', 'NotFound'].includes((error as S3Error).name)

const isBrokenOff = (error: unknown) =>
  (error as S3Error).name === 'AbortError' || (error as S3Error).code === 'ERR_STREAM_PREMATURE_CLOSE'

/** What the bucket or the way to it says, in words that may be shown to a caller; other errors stay as they are. */
function storeFailure(error: unknown): unknown {
  const { name, code, $metadata } = error as S3Error
  if (error instanceof AppError || isBrokenOff(error) || (!$metadata && !code)) return error
  if (error instanceof Error && !$metadata && !/^(E[A-Z]+|UND_ERR_\w+)$/.test(code ?? '')) return error
  const told = $metadata?.httpStatusCode === undefined ? 'does not answer' : `answers ${name}`
  return new AppError(
    'unavailable',
    `The bucket that files are kept in ${told}: see STORAGE_URL, then try again`,
    undefined,
    error,
  )
}
