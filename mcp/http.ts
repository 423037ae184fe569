import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { type McpOptions, mcpServer } from './server.ts'

export interface HttpOptions extends Omit<McpOptions, 'token'> {
  port: number
  host: string
}

const MOST_BYTES = 4 * 2 ** 20

/**
 * Streamable HTTP at /mcp. Each request brings the token of the API that it is to be done with, and is a session of its own:
 * nothing is kept between requests, and this server itself may do nothing. Resolves when it listens.
 */
export async function listenHttp({ port, host, ...options }: HttpOptions): Promise<Server> {
  const server = createServer((request, response) => {
    answer(request, response, options).catch(() => {
      if (response.headersSent) response.destroy()
      else say(response, 500, 'Unexpected error')
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  return server
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: Omit<McpOptions, 'token'>,
): Promise<void> {
  if (new URL(request.url ?? '/', 'http://localhost').pathname !== '/mcp')
    return say(response, 404, 'It answers at /mcp')
  // A web page can make a browser send requests here, but can not know a token; those with an Origin are refused all the same.
  if (request.headers.origin !== undefined) return say(response, 403, 'Web pages are not served')
  const [, token] = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '') ?? []
  if (token === undefined) {
    response.setHeader('www-authenticate', 'Bearer realm="Rollcall"')
    return say(response, 401, 'Send a token of Rollcall: Authorization: Bearer TOKEN')
  }
  if (request.method !== 'POST')
    return say(response.setHeader('allow', 'POST'), 405, 'There is no session to listen to: POST')
  const body = await jsonOf(request)
  if (body === undefined) return say(response, 400, `The body must be JSON of at most ${MOST_BYTES} bytes`)
  const server = mcpServer({ ...options, token })
  // Without a session, and so without the option for one.
  const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true })
  response.once('close', () => void server.close())
  await server.connect(transport as Parameters<typeof server.connect>[0])
  await transport.handleRequest(request, response, body)
}

async function jsonOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes <= MOST_BYTES) chunks.push(chunk) // the rest is read to its end, or its sender would not hear the answer
  }
  if (bytes > MOST_BYTES) return undefined
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    return undefined
  }
}

function say(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ jsonrpc: '2.0', error: { code: -32_000, message }, id: null }))
}
