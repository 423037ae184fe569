import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import type { TestApp } from '../../server/test/app.ts'
import { atEnd } from '../../server/test/database.ts'
import { live } from '../../server/test/live.ts'
import { type Rollcall, rollcall, type Settings } from '../src/rollcall.ts'

export interface Live extends TestApp {
  origin: string
  client: Rollcall
}

/** A live Rollcall, with a worker, and a client of it. */
export async function withClient(t: TestContext, settings: Partial<Settings> = {}): Promise<Live> {
  const made = await live(t)
  return { ...made, client: rollcall({ url: made.origin, token: made.token, ...settings }) }
}

/** What stands between a client and the service, as bad as a network can be. Answers its address. */
export function between(
  t: TestContext,
  answer: (request: IncomingMessage, response: ServerResponse) => unknown,
): Promise<string> {
  return listening(t, 0, answer)
}

/** A server of HTTP on this port, or on any for 0, until the test ends. Answers its address. */
export async function listening(
  t: TestContext,
  port: number,
  answer: (request: IncomingMessage, response: ServerResponse) => unknown,
): Promise<string> {
  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  atEnd(t, () => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Passes a request on to the service, as it came. */
export async function passOn(origin: string, request: IncomingMessage): Promise<Response> {
  const body = await buffer(request)
  const { host, connection, 'transfer-encoding': _, 'content-length': __, ...headers } = request.headers
  return fetch(origin + request.url, {
    method: request.method!,
    headers: headers as Record<string, string>,
    ...(body.length > 0 ? { body } : {}),
  })
}

export async function giveBack(answer: Response, response: ServerResponse): Promise<void> {
  response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'text/plain' })
  response.end(Buffer.from(await answer.arrayBuffer()))
}
