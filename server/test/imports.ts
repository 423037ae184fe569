import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import sql from 'sql-template-tag'
import { type RunParts, runImport } from '../features/imports/run.ts'
import { type Answer, keyring, type TestApp } from './app.ts'

type File = string | Buffer

/** The body of a form with a file and other parts, as a browser sends it, and its headers. */
export function form(file: File | null, parts: Record<string, string | string[]> = {}, name = 'people.csv') {
  const boundary = '----rollcall-test-boundary'
  const chunks: Buffer[] = []
  const put = (text: string) => chunks.push(Buffer.from(text))
  // The file first, as the overview sends it.
  if (file !== null) {
    put(
      `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: application/octet-stream\r\n\r\n`,
    )
    chunks.push(Buffer.from(file))
    put('\r\n')
  }
  for (const [key, values] of Object.entries(parts)) {
    for (const value of [values].flat())
      put(`--${boundary}\r\nContent-Disposition: form-data; name="${key}"\r\n\r\n${value}\r\n`)
  }
  put(`--${boundary}--\r\n`)
  return { body: Buffer.concat(chunks), headers: { 'content-type': `multipart/form-data; boundary=${boundary}` } }
}

/** Sends a file to be imported. */
export function upload(
  made: Pick<TestApp, 'call'>,
  file: File | null,
  parts: Record<string, string | string[]> = {},
  name?: string,
): Promise<Answer> {
  const { body, headers } = form(file, parts, name)
  return made.call('POST', '/api/contact_imports', body, headers)
}

/** Sends a file, lets a worker do what there is to do, and answers the import as it then is. */
export async function imported(
  made: TestApp,
  file: File,
  parts: Record<string, string | string[]> = {},
  name?: string,
): Promise<Answer['body']> {
  const { id } = await sent(made, file, parts, name)
  await made.runJobs()
  return (await made.get(`/api/contact_imports/${id}`)).body
}

/** What a worker runs imports with. */
export function runParts({ db, files, filesAt }: TestApp, more: Partial<RunParts> = {}): RunParts {
  const thread = { databaseUrl: db.url, filesAt }
  return { db, files, thread, keyring, keepFileDays: 7, isOver: async () => false, ...more }
}

/** Runs an import as a worker would, without the queue, and answers it as it then is. */
export async function run(made: TestApp, id: number, more: Partial<RunParts> = {}): Promise<Answer['body']> {
  await runImport(runParts(made, more), made.accountId, id, new AbortController().signal)
  return (await made.get(`/api/contact_imports/${id}`)).body
}

/** Uploads a file, which must be taken, and runs its import without the queue. */
export async function took(
  made: TestApp,
  file: File,
  parts: Record<string, string | string[]> = {},
  name?: string,
): Promise<Answer['body']> {
  return run(made, (await sent(made, file, parts, name)).id)
}

/** Uploads a file, which must be taken; answers its import, which waits. */
export async function sent(
  made: TestApp,
  file: File,
  parts: Record<string, string | string[]> = {},
  name?: string,
): Promise<Answer['body']> {
  const answer = await upload(made, file, parts, name)
  if (answer.status !== 201) throw new Error(JSON.stringify(answer.body))
  return answer.body
}

/** Goes on with an import by other options, and runs it. */
export async function applied(
  made: TestApp,
  id: number,
  options: object = {},
  more: Partial<RunParts> = {},
): Promise<Answer['body']> {
  const answer = await made.post(`/api/contact_imports/${id}/apply`, options)
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body))
  return run(made, id, more)
}

/** The contact of an address, as the API shows it. */
export async function person(made: Pick<TestApp, 'call'>, email: string): Promise<Answer['body']> {
  const answer = await made.call('GET', `/api/contacts/${email}`)
  if (answer.status !== 200) throw new Error(`${email}: ${JSON.stringify(answer.body)}`)
  return answer.body.data
}

/** Keys of all files in a test's store. */
export function filesIn({ filesAt }: Pick<TestApp, 'filesAt'>): string[] {
  const root = join(filesAt.home, 'files')
  return existsSync(root)
    ? readdirSync(root, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    : []
}

/** Rows in a state of work that nobody is at any more: must be none once an import has ended. */
export async function rowsLeft({ db }: TestApp): Promise<number> {
  const [row] = await db.query<{ count: number }>(sql`select count(*) as count from import_rows`)
  return row!.count
}

/** The counts of an import without those that are 0, and without their common words. */
export function countsOf(body: Answer['body']): Record<string, number> {
  const named = Object.entries(body as Record<string, unknown>).filter(
    ([key, value]) => /_count$|^rows_read$/.test(key) && value !== 0,
  )
  return Object.fromEntries(
    named.map(([key, value]) => [
      key.replace(/_(contacts|rows)?_?count$/, '').replace(/^contacts_/, ''),
      value as number,
    ]),
  )
}

export function gzipped(text: string): Buffer {
  return gzipSync(Buffer.from(text))
}
