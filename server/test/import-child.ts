/** Runs one import in a process of its own, for a test to kill: `ADDRESS HOME ACCOUNT IMPORT ROWS_A_CHUNK`. */
import { Database } from '../db/database.ts'
import { runImport } from '../features/imports/run.ts'
import { diskStore } from '../files/disk.ts'
import { keyring } from './jobs.ts'

const [url, home, account, id, rows] = process.argv.slice(2) as [string, string, string, string, string]
const db = new Database({ url, max: 8 })
const filesAt = { url: undefined, home }
const parts = {
  db,
  files: diskStore(home),
  thread: { databaseUrl: url, filesAt },
  keyring,
  keepFileDays: 7,
  chunkRows: Number(rows),
  isOver: async () => false,
}
await runImport(parts, Number(account), Number(id), new AbortController().signal)
await db.close()
