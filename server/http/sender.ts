import { isIP, isIPv4 } from 'node:net'
import { normalizeIP } from '@fastify/rate-limit'
import type { FastifyRequest } from 'fastify'

/** The client's address as PostgreSQL takes one: a proxy may have named it with a port or a zone, or named something else. */
export function addressOf({ ip, socket }: FastifyRequest): string | null {
  if (isIPv4(ip)) return ip
  const bare = [ip, socket.remoteAddress].map((text = '') =>
    text.replace(/^\[(.*)\](:\d+)?$/, '$1').replace(/^([\d.]+):\d+$|%.*$/, '$1'),
  )
  return bare.find((text) => isIP(text) !== 0) ?? null
}

/** Whose requests count together where no token tells: an IPv6 network of 64 bits is one sender's, who has all of it. */
export function senderOf(request: FastifyRequest): string {
  const address = addressOf(request)
  if (address === null) return 'unknown'
  return isIPv4(address) ? address : normalizeIP(address)
}
