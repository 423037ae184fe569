import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../lib/app-error.ts'

/** Sent by our own pages with each request: no form can, and a script of another origin must ask first, which we refuse. */
export const PAGE_HEADER = 'x-rollcall-ui'

/** After so long a session has ended, used or not, and browsers forget it. */
export const LONGEST_SESSION_DAYS = 90

const READS = ['GET', 'HEAD']

/** What of a request tells that a person sits at a browser, and whether it was our own page that sent it. */
export class Browser {
  readonly #publicUrl: URL | undefined

  constructor(publicUrl: string | undefined) {
    this.#publicUrl = publicUrl === undefined ? undefined : new URL(publicUrl)
  }

  /** What the session's cookie holds, if there is one. */
  sessionOf(request: FastifyRequest): string | undefined {
    const cookies = request.headers.cookie?.split(';').map((pair) => pair.trim()) ?? []
    const name = this.#nameFor(request)
    return cookies.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1)
  }

  keepSession(reply: FastifyReply, token: string): void {
    this.#set(reply, token, LONGEST_SESSION_DAYS * 86_400)
  }

  forgetSession(reply: FastifyReply): void {
    this.#set(reply, '', 0)
  }

  /**
   * Throws cross_site unless a request that leans on the cookie was sent by a page of ours. Browsers say so by
   * Sec-Fetch-Site over https and on this machine, else by Origin; what writes must carry our header besides.
   */
  requireOwnPage(request: FastifyRequest): void {
    const { headers, method } = request
    const isRead = READS.includes(method)
    const site = headers['sec-fetch-site']
    const isOwn =
      site === undefined
        ? headers.origin === undefined || this.#isOwnOrigin(headers.origin, request)
        : site === 'same-origin' || (isRead && site === 'none') // none: typed by hand, or a download
    if (!isOwn) throw new AppError('cross_site', 'Another site has sent this request: nothing was done')
    if (!isRead && headers[PAGE_HEADER] !== '1') {
      throw new AppError(
        'cross_site',
        `A request with a session that changes something needs the header ${PAGE_HEADER}: 1`,
      )
    }
  }

  #isOwnOrigin(origin: string, request: FastifyRequest): boolean {
    if (origin === this.#publicUrl?.origin) return true
    return URL.canParse(origin) && new URL(origin).host === request.host
  }

  /** With the prefix, browsers take the cookie over https only, and from no other host. */
  #nameFor(request: FastifyRequest): string {
    return this.#isSecure(request) ? '__Host-rollcall' : 'rollcall'
  }

  #isSecure(request: FastifyRequest): boolean {
    return (this.#publicUrl?.protocol ?? `${request.protocol}:`) === 'https:'
  }

  #set(reply: FastifyReply, value: string, maxAgeS: number): void {
    const { request } = reply
    const secure = this.#isSecure(request) ? '; Secure' : ''
    reply.header(
      'set-cookie',
      `${this.#nameFor(request)}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${maxAgeS}${secure}`,
    )
  }
}
