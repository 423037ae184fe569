import { AppError } from '../../lib/app-error.ts'

/** Asks an address for its text. Throws `unavailable` when it does not answer with a 200, in time and in few words. */
export type Reach = (url: URL) => Promise<string>

const WITHIN_MS = 10_000
const MOST_BYTES = 65_536

/**
 * Redirects are not followed, so that nobody but the host that was checked is asked.
 * @param via where it is really asked, as behind a gateway; by default at the address itself
 */
export function reachOf(via: (url: URL) => URL = (url) => url): Reach {
  return async (url) => {
    try {
      const response = await fetch(via(url), { redirect: 'error', signal: AbortSignal.timeout(WITHIN_MS) })
      if (response.status !== 200) throw new Error(`answered ${response.status}`)
      return await bounded(response)
    } catch (error) {
      throw new AppError('unavailable', `${url.host} could not be asked: try again shortly`, undefined, error)
    }
  }
}

async function bounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length
    if (bytes > MOST_BYTES) throw new Error(`answered more than ${MOST_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
