import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'

/** Registered before the routes, whose schemas it gathers: `/openapi.json`, and `/docs` to browse it. */
export async function installOpenApi(app: FastifyInstance, publicUrl: string | undefined): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Rollcall',
        version: '0.1.0',
        description:
          'Contacts, fields, lists and activity. Every address also works as `/api/accounts/{account_id}/…`, and `contact_lists`, ' +
          '`contact_fields` as `contacts/lists`, `contacts/fields`; a contact body may be wrapped as `{"contact": {…}}`.',
      },
      servers: [{ url: publicUrl ?? '/' }],
      components: {
        securitySchemes: {
          ApiToken: { type: 'apiKey', in: 'header', name: 'Api-Token' },
          Bearer: { type: 'http', scheme: 'bearer' },
        },
      },
      security: [{ ApiToken: [] }, { Bearer: [] }],
    },
  })
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: true })
  app.get('/openapi.json', { config: { public: true }, schema: { hide: true } }, async () => app.swagger())
}
