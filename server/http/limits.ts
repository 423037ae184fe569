import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance } from 'fastify'
import { AppError } from '../lib/app-error.ts'
import { senderOf } from './sender.ts'

export const WINDOW_MS = 10_000

/**
 * At most `max` requests a token or person (an address, where there is none) in 10 s, counted by each API process for itself.
 * 0 is no limit. Every answer tells how many are left.
 */
export async function installRateLimit(app: FastifyInstance, max: number): Promise<void> {
  if (max === 0) return
  // Public pages have limits of their own: without its hooks each is answered in one turn.
  app.addHook('onRoute', (route) => {
    if (route.config?.public) route.config.rateLimit = false
  })
  await app.register(rateLimit, {
    global: true,
    max,
    timeWindow: WINDOW_MS,
    hook: 'onRequest',
    keyGenerator: (request) => request.grant?.actor ?? senderOf(request),
    errorResponseBuilder: () => new AppError('rate_limited', 'Rate limit exceeded'),
    addHeaders: {
      'x-ratelimit-limit': true,
      'x-ratelimit-remaining': true,
      'x-ratelimit-reset': true,
      'retry-after': true,
    },
  })
}
