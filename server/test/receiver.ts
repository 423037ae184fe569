import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Webhook } from 'standardwebhooks'
import { atEnd } from './database.ts'

/** A message as it came. */
export interface Received {
  path: string
  id: string
  headers: IncomingHttpHeaders
  body: string
  // biome-ignore lint/suspicious/noExplicitAny: what a test reads from a message is checked by the test
  json: any
}

/**
 * What the receiver does with a message: answers a status; takes it and says nothing; closes the connection before an
 * answer or in the midst of it; sends the sender elsewhere; answers what it was sent.
 */
export type Behaviour = number | 'stall' | 'close' | 'close midway' | 'redirect' | 'echo' | 'endless'

/** A real HTTP server that receives messages, and fails as receivers do. */
export interface Receiver {
  /**
   * The address of a path of its own, at which it behaves so, at once or when a promise is kept; the last behaviour holds
   * for all messages that follow.
   */
  at: (path: string, ...behaviours: (Behaviour | Promise<Behaviour>)[]) => string
  /** What came to a path. */
  received: (path: string) => Received[]
  /** Waits until so many messages have come to a path. */
  until: (path: string, count: number) => Promise<Received[]>
  /** Begins anew: as if nothing had come yet. */
  forget: () => void
  /** Connections that were opened so far. */
  connections: () => number
  port: number
}

export async function receiver(t: TestContext): Promise<Receiver> {
  const all: Received[] = []
  const scripts = new Map<string, (Behaviour | Promise<Behaviour>)[]>()
  let connections = 0
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    const path = request.url!
    all.push({ path, id: String(request.headers['webhook-id']), headers: request.headers, body, json: parse(body) })
    const script = scripts.get(path) ?? [404]
    behave(await (script.length > 1 ? script.shift()! : script[0]!), response, body)
  })
  server.on('connection', () => connections++)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  atEnd(t, async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const received = (path: string) => all.filter((message) => message.path === path)
  return {
    at(path, ...behaviours) {
      scripts.set(path, behaviours)
      return `http://127.0.0.1:${port}${path}`
    },
    received,
    async until(path, count) {
      for (const deadline = Date.now() + 60_000; received(path).length < count && Date.now() < deadline; )
        await sleep(10)
      return received(path)
    },
    forget() {
      all.length = 0
    },
    connections: () => connections,
    port,
  }
}

function behave(behaviour: Behaviour, response: ServerResponse, body: string): void {
  switch (behaviour) {
    case 'stall':
      return
    case 'close':
      response.socket!.destroy()
      return
    case 'close midway':
      response.writeHead(200, { 'content-length': 100 })
      response.write('so far')
      setTimeout(() => response.socket?.destroy(), 20)
      return
    case 'redirect':
      response.writeHead(302, { location: '/elsewhere' }).end()
      return
    case 'echo':
      response.end(body)
      return
    case 'endless': {
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(16_384)));
      }
      response.on('drain', more)
      more()
      return
    }
    default:
      response.writeHead(behaviour).end(behaviour === 200 ? '' : `no: ${behaviour}`)
  }
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

/** Checks a message with the official library. Throws when it was not signed with this secret, or not just now. */
export function verify(secret: string, { body, headers }: Received): unknown {
  return new Webhook(secret).verify(body, headers as Record<string, string>)
}
