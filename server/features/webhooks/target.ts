import type { LookupAddress } from 'node:dns'
import { lookup, Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { invalid } from '../../lib/app-error.ts'
import { isPublicAddress } from '../../lib/public-address.ts'

/** All addresses that a name has now. */
export type Resolve = (name: string) => Promise<LookupAddress[]>

/**
 * Asks name servers, not the operating system: that has four threads for it in a process, and names whose servers are
 * silent would keep all others waiting. Only where private addresses are wanted, whose names may stand in a file, it is asked.
 */
export function resolverFor({ allowPrivate }: { allowPrivate: boolean }): Resolve {
  if (allowPrivate) return (name) => lookup(name, { all: true })
  const servers = new Resolver({ timeout: 2000, tries: 2 })
  return async (name) => {
    const [v4, v6] = await Promise.allSettled([servers.resolve4(name), servers.resolve6(name)])
    const found = [
      ...(v4.status === 'fulfilled' ? v4.value.map((address) => ({ address, family: 4 })) : []),
      ...(v6.status === 'fulfilled' ? v6.value.map((address) => ({ address, family: 6 })) : []),
    ]
    const failed = [v4, v6].find(({ status, ...rest }) => status === 'rejected' && !isNoName(rest))
    if (found.length === 0 && failed)
      throw Object.assign(new Error('no answer of a name server'), { code: 'EAI_AGAIN' })
    return found
  }
}

/** Whether a name server has said that there is no such name, or no address under it. */
function isNoName(failure: object): boolean {
  return ['ENOTFOUND', 'ENODATA'].includes((failure as { reason: NodeJS.ErrnoException }).reason.code ?? '')
}

const LONGEST = 2000
const RESOLVED_WITHIN_MS = 3000

const REFUSED =
  'must lead to the public internet: private, loopback and link-local addresses are refused unless whoever runs the service sets WEBHOOK_ALLOW_PRIVATE=true'

/** Thrown at the moment of sending; its message stands in the log of deliveries. */
export class TargetRefused extends Error {
  override readonly name = 'TargetRefused'
}

/** The host of an address as it is connected to: an IPv6 address without its brackets. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1')
}

/**
 * Checks where messages are to be sent: what can be told from the text, and what its name leads to now. A name that leads
 * nowhere yet is taken. This is to help whoever registers it; what protects is `checkedLookup`. Throws `invalid`.
 */
export async function checkTarget(
  text: string,
  { allowPrivate, resolve }: { allowPrivate: boolean; resolve: Resolve },
): Promise<string> {
  const fault = (message: string) => invalid({ url: [message] })
  if (text.length > LONGEST) throw fault(`is too long (maximum is ${LONGEST} characters)`)
  if (!URL.canParse(text)) throw fault('is not an address: write it whole, such as https://example.com/hooks')
  const url = new URL(text)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw fault('must begin with https:// or http://')
  if (url.username !== '' || url.password !== '')
    throw fault('must hold no user and password: tell messages of ours by their signature')
  if (url.hash !== '') throw fault('must hold no #: it would not be sent')
  if (allowPrivate) return url.href
  const host = hostOf(url)
  if (isIP(host) !== 0) {
    if (!isPublicAddress(host)) throw fault(REFUSED)
    return url.href
  }
  if (/(^|\.)localhost\.?$/.test(host)) throw fault(REFUSED)
  const found = await Promise.race([
    resolve(host).catch(() => []),
    sleep(RESOLVED_WITHIN_MS, [] as LookupAddress[], { ref: false }),
  ])
  if (found.some(({ address }) => !isPublicAddress(address))) throw fault(REFUSED)
  return url.href
}

type LookupCallback = (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void

/**
 * What a socket asks for the addresses it connects to: those that were found are checked and handed over, so that nothing
 * is resolved between check and connection. One private address among them refuses all.
 */
export function checkedLookup({ allowPrivate, resolve }: { allowPrivate: boolean; resolve: Resolve }) {
  return (name: string, options: { all?: boolean | undefined }, callback: LookupCallback): void => {
    resolve(name).then(
      (found) => {
        const [first] = found
        if (!first) callback(Object.assign(new Error('no address'), { code: 'ENOTFOUND' }), '')
        else if (!allowPrivate && found.some(({ address }) => !isPublicAddress(address)))
          callback(new TargetRefused('the name leads to an address that is not public'), '')
        else if (options.all) callback(null, found)
        else callback(null, first.address, first.family)
      },
      (error: NodeJS.ErrnoException) => callback(error, ''),
    )
  }
}

/** The same for a host that is an address itself, for which no socket asks. Throws TargetRefused. */
export function checkLiteral(url: URL, { allowPrivate }: { allowPrivate: boolean }): void {
  const host = hostOf(url)
  if (!allowPrivate && isIP(host) !== 0 && !isPublicAddress(host)) throw new TargetRefused('the address is not public')
}
