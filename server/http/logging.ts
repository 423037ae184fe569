import type { FastifyInstance } from 'fastify'

/**
 * One line a request: what was asked by which route, never by address, as that may hold a person's; no headers, no body.
 */
export function installRequestLog(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id)
    done()
  })
  app.addHook('onResponse', (request, reply, done) => {
    const { routeOptions, grant, method } = request
    const route = routeOptions.url ?? 'none'
    request.log.info(
      {
        method,
        route,
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime * 10) / 10,
        account: grant?.accountId,
        actor: grant?.actor,
      },
      'request',
    )
    done()
  })
}
