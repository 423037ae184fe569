import autocannon from 'autocannon'
import { quantile } from './statistics.ts'

export interface Request {
  method: 'GET' | 'POST'
  path: string
  headers: Record<string, string>
  body?: string
}

export interface Round {
  perSecond: number
  p50Ms: number
  p99Ms: number
  answered: number
}

/**
 * Keeps `connections` busy for so many seconds, each sending its next request as soon as the last one is answered.
 * Throws when any answer is not a 2xx. Those under way at the end are cut off and not counted.
 */
export async function load(
  address: string,
  { connections, seconds, next }: { connections: number; seconds: number; next: () => Request },
): Promise<Round> {
  const tookMs: number[] = []
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const requests = [{ setupRequest: (request: autocannon.Request) => ({ ...request, ...next() }) }]
    const options = { url: address, connections, duration: seconds, requests }
    const run = autocannon(options, (error, ended) => (error ? reject(error) : resolve(ended)))
    run.on('response', (_client, _status, _bytes, responseMs) => tookMs.push(responseMs))
  })
  if (result.non2xx > 0 || result.errors > 0 || tookMs.length === 0) {
    throw new Error(
      `${address}: ${result.non2xx} answers of ${tookMs.length} were not 2xx, and ${result.errors} requests failed`,
    )
  }
  return {
    perSecond: tookMs.length / result.duration,
    p50Ms: quantile(tookMs, 0.5),
    p99Ms: quantile(tookMs, 0.99),
    answered: tookMs.length,
  }
}
