/** The thread in which a file is read: what it costs, and what a hostile file breaks, is kept away from everyone's requests. */
import { parentPort, workerData } from 'node:worker_threads'
import { Database } from '../../db/database.ts'
import { openFiles } from '../../files/open.ts'
import type { FilesAt } from '../../files/store.ts'
import { AppError } from '../../lib/app-error.ts'
import { Stopped } from './imports.ts'
import { previewFile } from './preview.ts'
import { UnreadableFile } from './reading/unreadable.ts'
import { stageFile } from './stage.ts'

export type ThreadWork =
  | { do: 'stage'; accountId: number; importId: number; runner: string }
  | { do: 'preview'; accountId: number; fileKey: string; fileName: string | null; options: object }

export interface ThreadInput {
  databaseUrl: string
  filesAt: FilesAt
  work: ThreadWork
}

export type ThreadMessage =
  | { is: 'progress'; progress: { bytes_read: number; rows_read: number } }
  | { is: 'done'; result: unknown }
  | { is: 'unreadable'; message: string }
  | { is: 'stopped' }
  | { is: 'refused'; by: Pick<AppError, 'code' | 'message' | 'messages' | 'details' | 'stack'> }
  | { is: 'failed'; error: unknown }

/** Messages about progress in a second, at most. */
const TOLD_EVERY_MS = 300

const port = parentPort!
const say = (message: ThreadMessage) => port.postMessage(message)
const { databaseUrl, filesAt, work } = workerData as ThreadInput
const stop = new AbortController()
port.once('message', () => stop.abort(new Error('stopped')))

const db = new Database({ url: databaseUrl, max: 2 })
try {
  const files = await openFiles(filesAt)
  let toldAt = 0
  const onProgress = (progress: { bytes_read: number; rows_read: number }) => {
    if (Date.now() - toldAt < TOLD_EVERY_MS) return
    toldAt = Date.now()
    say({ is: 'progress', progress })
  }
  const result =
    work.do === 'stage'
      ? await stageFile({ db, files, ...work, signal: stop.signal, onProgress })
      : await previewFile({ db, files, ...work })
  say({ is: 'done', result })
} catch (error) {
  say(
    error instanceof UnreadableFile
      ? { is: 'unreadable', message: error.message }
      : error instanceof Stopped
        ? { is: 'stopped' }
        : error instanceof AppError
          ? { is: 'refused', by: partsOf(error) }
          : { is: 'failed', error: portable(error) },
  )
} finally {
  await db.close()
  port.close()
}

/** Of what a caller can act on, all but its cause, which may hold what can't be sent. */
function partsOf({ code, message, messages, details, stack }: AppError) {
  return { code, message, messages, details, ...(stack === undefined ? {} : { stack }) }
}

/** An error crosses threads without its class: what tells a lost connection from a fault of ours is its code. */
function portable(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const { message, stack } = error
  return Object.assign(new Error(message), { stack, code: (error as NodeJS.ErrnoException).code })
}
