import type { FastifyInstance } from 'fastify'

/**
 * One line a request: what was asked by which route, never by address, as that may hold a person's; no headers, no body.
 */
export function installRequestLog(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id)
  })
  app.addHook('onResponse', async (request, reply) => {
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
  })
}
