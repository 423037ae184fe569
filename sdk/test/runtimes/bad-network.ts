import type { TestContext } from 'node:test'
import { between } from '../live.ts'

/**
 * A network with what goes wrong in one, each below a path of its own, open to pages of any origin:
 * `/silent` never answers, `/moved` redirects, `/cut` breaks off, `/busy` refuses each first attempt.
 */
export async function badNetwork(t: TestContext): Promise<string> {
  const attempts = new Map<unknown, number>()
  return between(t, (request, response) => {
    for (const [header, value] of OPEN) response.setHeader(header, value)
    if (request.method === 'OPTIONS') return response.writeHead(204).end()
    const json = { 'content-type': 'application/json' }
    switch (request.url!.split('/')[1]) {
      case 'silent':
        return request.resume()
      case 'moved':
        return response.writeHead(302, { location: 'https://elsewhere.example/' }).end()
      case 'cut':
        response.writeHead(200, { ...json, 'content-length': '100' }).write('[')
        return setTimeout(() => response.destroy(), 50)
      default: {
        const key = request.headers['idempotency-key']
        const nth = (attempts.get(key) ?? 0) + 1
        attempts.set(key, nth)
        if (nth === 1) return response.writeHead(503, { ...json, 'retry-after': '0' }).end('{}')
        return response.writeHead(200, json).end(JSON.stringify({ id: 1, name: `${nth} attempts` }))
      }
    }
  })
}

const OPEN = [
  ['access-control-allow-origin', '*'],
  ['access-control-allow-headers', '*'],
  ['access-control-allow-methods', '*'],
  ['access-control-expose-headers', '*'],
] as const
