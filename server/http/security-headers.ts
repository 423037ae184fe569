import type { FastifyInstance } from 'fastify'

/** What a page may load and who may frame it. Its addresses stay as they are: also plain http serves a reference to read. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "base-uri 'self'",
  "font-src 'self' https: data:",
  "form-action 'self'",
  "frame-ancestors 'self'",
  "img-src 'self' data:",
  "object-src 'none'",
  "script-src 'self'",
  "script-src-attr 'none'",
  "style-src 'self' https: 'unsafe-inline'",
].join(';')

const HEADERS = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'origin-agent-cluster': '?1',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'SAMEORIGIN',
}

/**
 * Helmet's headers, without those that only browsers of long ago know. @fastify/helmet puts them together anew for each
 * answer, which took a fifth of the time that the API spends on reading a contact. That browsers should insist on https is
 * said only where there is https: elsewhere it would leave the reference blank.
 */
export function installSecurityHeaders(app: FastifyInstance, publicUrl: string | undefined): void {
  const headers = publicUrl?.startsWith('https://')
    ? { ...HEADERS, 'strict-transport-security': 'max-age=31536000' }
    : HEADERS
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(headers)
    done()
  })
}
