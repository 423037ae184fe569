import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance, FastifyReply } from 'fastify'

/** Where `npm install` builds the pages. */
export const PAGES = join(import.meta.dirname, '../../admin/dist')

/** The addresses of pages, all of which the one document answers: its own script knows what each shows. */
const ADDRESSES = ['/', '/login', '/setup', '/accounts', '/accounts/*']

/** Loads nothing from elsewhere, runs no script that stands in a page, can not be framed. Components set styles as attributes. */
const POLICY = [
  "default-src 'none'",
  "base-uri 'none'",
  "connect-src 'self'",
  "font-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "frame-src 'self'",
  "img-src 'self' data: blob:",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
].join(';')

const NOT_BUILT =
  'The API answers, but the pages have not been built: run "npm run build" in the checkout and start again. The API is described at /docs.\n'

/**
 * The admin interface as it was built: the document for every address of a page, and its files; those whose name has a hash
 * stay for good. What was compressed when it was built is sent so.
 */
export async function installPages(app: FastifyInstance, directory = PAGES): Promise<void> {
  const options = { config: { public: true }, schema: { hide: true } } as const
  if (!existsSync(join(directory, 'index.html'))) {
    app.get('/', options, async (_request, reply) => reply.code(503).type('text/plain; charset=utf-8').send(NOT_BUILT))
    return
  }
  await app.register(fastifyStatic, {
    root: directory,
    serve: false,
    preCompressed: true,
    index: false,
    cacheControl: false,
  })
  const send = (reply: FastifyReply, file: string, kept: string) => reply.header('cache-control', kept).sendFile(file)
  for (const address of ADDRESSES)
    app.get(address, options, async (_request, reply) =>
      send(reply.header('content-security-policy', POLICY).header('x-frame-options', 'DENY'), 'index.html', 'no-cache'),
    )
  app.get<{ Params: { '*': string } }>('/assets/*', options, async (request, reply) =>
    send(reply, `assets/${request.params['*']}`, 'public, max-age=31536000, immutable'),
  )
  const others = readdirSync(directory).filter((name) => /^[\w-]+\.(js|css|svg|png|ico|webmanifest|txt)$/.test(name))
  for (const name of others) app.get(`/${name}`, options, async (_request, reply) => send(reply, name, 'no-cache'))
}
