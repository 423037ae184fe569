import { Worker } from 'node:worker_threads'
import type { FilesAt } from '../../files/store.ts'
import { AppError } from '../../lib/app-error.ts'
import { Stopped } from './imports.ts'
import type { FilePreview, PreviewAsked } from './preview.ts'
import { UnreadableFile } from './reading/unreadable.ts'
import type { StageResult } from './stage.ts'
import type { ThreadInput, ThreadMessage, ThreadWork } from './stage-thread.ts'

/** What a thread may hold of JavaScript's memory: a file that needs more is refused, and the process lives on. */
const HEAP_MB = 192
/** Of it what is short-lived, as nearly all is. With 48 a CSV takes 5 % less time and 14 MB more. */
const YOUNG_MB = 16

/** Where threads find the database and the files. */
export interface ThreadParts {
  databaseUrl: string
  filesAt: FilesAt
}

interface Watch {
  signal?: AbortSignal
  onProgress?: (progress: { bytes_read: number; rows_read: number }) => void
}

/** Reads an import's file in a thread: see `stageFile`. Throws UnreadableFile, Stopped, and the reason of the signal. */
export function stageInThread(
  parts: ThreadParts,
  accountId: number,
  importId: number,
  runner: string,
  watch: Watch,
): Promise<StageResult> {
  return run(parts, { do: 'stage', accountId, importId, runner }, watch) as Promise<StageResult>
}

/** Looks at a file in a thread: see `previewFile`. Throws UnreadableFile. */
export function previewInThread(parts: ThreadParts, accountId: number, asked: PreviewAsked): Promise<FilePreview> {
  return run(parts, { do: 'preview', accountId, ...asked }, {}) as Promise<FilePreview>
}

/** An outage of the file store is known by its class: it is tried again, where a bad file is not. */
function refusal({
  code,
  message,
  messages,
  details,
  stack,
}: Extract<ThreadMessage, { is: 'refused' }>['by']): AppError {
  return Object.assign(new AppError(code, message, messages, undefined, { ...details }), { stack })
}

function run(parts: ThreadParts, work: ThreadWork, { signal, onProgress }: Watch): Promise<unknown> {
  signal?.throwIfAborted()
  const worker = new Worker(new URL('./stage-thread.ts', import.meta.url), {
    workerData: { ...parts, work } satisfies ThreadInput,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB, maxYoungGenerationSizeMb: YOUNG_MB },
  })
  const onAbort = () => worker.postMessage('stop')
  signal?.addEventListener('abort', onAbort)
  return new Promise<unknown>((resolve, reject) => {
    worker.on('message', (message: ThreadMessage) => {
      if (message.is === 'progress') onProgress?.(message.progress)
      else if (message.is === 'done') resolve(message.result)
      else if (signal?.aborted) reject(signal.reason)
      else if (message.is === 'unreadable') reject(new UnreadableFile(message.message))
      else if (message.is === 'refused') reject(refusal(message.by))
      else reject(message.is === 'stopped' ? new Stopped() : message.error)
    })
    worker.once('error', (error: NodeJS.ErrnoException) => {
      const isMemory = error.code === 'ERR_WORKER_OUT_OF_MEMORY'
      reject(
        isMemory
          ? new UnreadableFile('The file needs more memory than it may have; save it as CSV, or in parts')
          : error,
      )
    })
    worker.once('exit', () => reject(new Error('the thread that reads files ended before it was done')))
  }).finally(async () => {
    signal?.removeEventListener('abort', onAbort)
    await worker.terminate()
  })
}
