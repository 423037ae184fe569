import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'

const DOCS = '/docs'

const ErrorText = { type: 'object', properties: { errors: { type: 'string' } } }
const Errors = {
  type: 'object',
  properties: { errors: { type: 'object', additionalProperties: { type: 'array', items: { type: 'string' } } } },
}
const NotFound = { type: 'object', properties: { error: { type: 'string' }, hint: { type: 'string' } } }

/** What may go wrong with any request: for readers of the document alone, as errors are rendered elsewhere. */
const FAILURES = {
  401: {
    description: 'No such token, or `code`: session_ended, wrong_password',
    type: 'object',
    properties: { error: { type: 'string' }, code: { type: 'string' }, hint: { type: 'string' } },
  },
  403: { description: "Another account's token, or one without the scope", ...ErrorText },
  404: { description: 'Not there', ...NotFound },
  422: { description: 'Messages by the attribute they are about', ...Errors },
  429: { description: 'Too many requests: see Retry-After', ...ErrorText },
}

/** Registered before the routes, whose schemas it gathers: `/openapi.json`, and `/docs` to browse it. */
export async function installOpenApi(app: FastifyInstance, publicUrl: string | undefined): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Rollcall',
        version: '0.1.0',
        description:
          'Contacts, fields, lists, activity and webhooks. Every address also works as `/api/accounts/{account_id}/…`, and `contact_lists`, ' +
          '`contact_fields` as `contacts/lists`, `contacts/fields`; a contact body may be wrapped as `{"contact": {…}}`.',
      },
      servers: [{ url: publicUrl ?? '/' }],
      components: {
        securitySchemes: {
          ApiToken: { type: 'apiKey', in: 'header', name: 'Api-Token' },
          Bearer: { type: 'http', scheme: 'bearer' },
          Session: {
            type: 'apiKey',
            in: 'cookie',
            name: 'rollcall',
            description: '`__Host-rollcall` over https. The account stands in the path.',
          },
        },
      },
      security: [{ ApiToken: [] }, { Bearer: [] }, { Session: [] }],
    },
    transform: ({ schema, url }) => ({
      url,
      schema: { ...schema, response: { ...FAILURES, ...(schema.response as object | undefined) } },
    }),
  })
  app.addHook('onRoute', (route) => {
    if (route.url.startsWith(DOCS)) route.config = { ...route.config, public: true }
  })
  await app.register(swaggerUi, {
    routePrefix: DOCS,
    staticCSP: true,
    // It would send browsers to https for its own scripts, which a service without a certificate does not speak.
    transformStaticCSP: (policy) => policy.replace('upgrade-insecure-requests;', ''),
  })
  app.get('/openapi.json', { config: { public: true }, schema: { hide: true } }, async () => app.swagger())
}
