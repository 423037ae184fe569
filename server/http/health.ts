import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'

const Word = Type.Object({ status: Type.String() })

/** `/healthz`: the process answers. `/readyz`: it can also serve: migrated, and the database is reachable. */
export function installHealth(app: FastifyInstance, isReady: () => Promise<boolean>): void {
  const about = { public: true } as const
  app.get('/healthz', { config: about, schema: { hide: true, response: { 200: Word } } }, async () => ({
    status: 'ok',
  }))
  app.get('/readyz', { config: about, schema: { hide: true } }, async (_request, reply) => {
    const ready = await isReady()
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'not ready' })
  })
}
