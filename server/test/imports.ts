import { gzipSync } from 'node:zlib'
import type { Answer, TestApp } from './app.ts'

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
  const answer = await upload(made, file, parts, name)
  if (answer.status !== 201) throw new Error(JSON.stringify(answer.body))
  await made.runJobs()
  return (await made.get(`/api/contact_imports/${answer.body.id}`)).body
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
