import { parseStorageUrl } from '../lib/storage-url.ts'
import { diskStore } from './disk.ts'
import type { FileStore, FilesAt } from './store.ts'

/** The bucket of `STORAGE_URL`, else the directory `files` in Rollcall's own. */
export async function openFiles({ url, home }: FilesAt): Promise<FileStore> {
  if (url === undefined) return diskStore(home)
  // Only who keeps files in a bucket waits the 0.2 s that its client takes to load.
  const { s3Store } = await import('./s3.ts')
  return s3Store(parseStorageUrl(url))
}
