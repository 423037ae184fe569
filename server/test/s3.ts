import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { atEnd } from './database.ts'

/** A server that speaks as much S3 as the file store asks for, over files in memory. */
export interface S3Server {
  url: string
  files: Map<string, Buffer>
  /** Uploads in parts that were neither completed nor given up, by their id. */
  uploads: Map<string, { key: string; parts: Map<number, Buffer>; at: Date }>
  /** Takes requests and never answers them. */
  isStalled: boolean
  /** Answers every request with this error while it is set. */
  refusal: { status: number; code: string } | undefined
}

const KEY = 'test-key'

export async function s3Server(t: TestContext, prefix = ''): Promise<S3Server> {
  const server = createServer((request, response) => {
    answer(state, request, response).catch((error) => response.writeHead(500).end(String(error)))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(t, () => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const state: S3Server = {
    url: `s3://${KEY}:a%2Fsecret@127.0.0.1:${port}/bucket${prefix}?tls=false`,
    files: new Map(),
    uploads: new Map(),
    isStalled: false,
    refusal: undefined,
  }
  return state
}

async function answer(state: S3Server, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { files, uploads, refusal } = state
  const url = new URL(request.url!, 'http://localhost')
  const [, bucket, ...rest] = decodeURIComponent(url.pathname).split('/')
  const key = rest.join('/')
  const query = url.searchParams
  const body = await buffer(request)
  const xml = (status: number, text: string) =>
    response.writeHead(status, { 'content-type': 'application/xml' }).end(`<?xml version="1.0"?>${text}`)
  const fail = (status: number, code: string) => xml(status, `<Error><Code>${code}</Code><Message>no</Message></Error>`)

  if (state.isStalled) return
  if (refusal) return void fail(refusal.status, refusal.code)
  if (!request.headers.authorization?.includes(`Credential=${KEY}/`)) return void fail(403, 'InvalidAccessKeyId')
  if (bucket !== 'bucket') return void fail(404, 'NoSuchBucket')

  if (request.method === 'GET' && key === '' && query.has('uploads')) {
    const found = [...uploads].filter(([, { key }]) => key.startsWith(query.get('prefix') ?? ''))
    const list = found.map(
      ([id, upload]) =>
        `<Upload><Key>${upload.key}</Key><UploadId>${id}</UploadId><Initiated>${upload.at.toISOString()}</Initiated></Upload>`,
    )
    return void xml(200, `<ListMultipartUploadsResult>${list.join('')}</ListMultipartUploadsResult>`)
  }
  if (request.method === 'GET' && key === '') return void xml(200, listing(files, query))
  if (request.method === 'POST' && query.has('delete')) {
    for (const [, name] of body.toString().matchAll(/<Key>(.*?)<\/Key>/g)) files.delete(name!)
    return void xml(200, '<DeleteResult/>')
  }
  if (request.method === 'POST' && query.has('uploads')) {
    const id = randomUUID()
    uploads.set(id, { key, parts: new Map(), at: new Date() })
    return void xml(200, `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`)
  }
  const id = query.get('uploadId')
  if (id !== null) {
    const upload = uploads.get(id)
    if (!upload) return void fail(404, 'NoSuchUpload')
    if (request.method === 'PUT') {
      upload.parts.set(Number(query.get('partNumber')), body)
      return void response.writeHead(200, { etag: etagOf(body) }).end()
    }
    uploads.delete(id)
    if (request.method === 'DELETE') return void response.writeHead(204).end()
    const parts = [...upload.parts].sort(([a], [b]) => a - b).map(([, part]) => part)
    files.set(upload.key, Buffer.concat(parts))
    return void xml(200, '<CompleteMultipartUploadResult><ETag>"whole"</ETag></CompleteMultipartUploadResult>')
  }
  if (request.method === 'PUT') {
    files.set(key, body)
    return void response.writeHead(200, { etag: etagOf(body) }).end()
  }
  if (request.method === 'DELETE') {
    files.delete(key)
    return void response.writeHead(204).end()
  }
  const file = files.get(key)
  if (!file) return void (request.method === 'HEAD' ? response.writeHead(404).end() : fail(404, 'NoSuchKey'))
  const [, start = '0', end = ''] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? []
  const part = file.subarray(Number(start), end === '' ? undefined : Number(end) + 1)
  response.writeHead(request.headers.range ? 206 : 200, { 'content-length': part.length, etag: etagOf(file) })
  response.end(request.method === 'HEAD' ? undefined : part)
}

/** At most two files at a time, so that whoever lists has to ask again. */
function listing(files: Map<string, Buffer>, query: URLSearchParams): string {
  const names = [...files.keys()].filter((name) => name.startsWith(query.get('prefix') ?? '')).sort()
  const after = query.get('continuation-token') ?? ''
  const page = names.filter((name) => name > after).slice(0, 2)
  const isCut = page.length > 0 && page.at(-1) !== names.at(-1)
  const next = isCut ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : ''
  const contents = page.map((name) => `<Contents><Key>${name}</Key></Contents>`).join('')
  return `<ListBucketResult><IsTruncated>${isCut}</IsTruncated>${next}${contents}</ListBucketResult>`
}

const etagOf = (bytes: Buffer) => `"${createHash('md5').update(bytes).digest('hex')}"`
