import type { FastifyInstance, onRequestHookHandler, preParsingHookHandler, preValidationHookHandler } from 'fastify'

interface Hooks {
  onRequest: onRequestHookHandler
  preParsing: preParsingHookHandler
  preValidation: preValidationHookHandler
}

/**
 * Adds hooks to every route but the public ones, whichever are registered from now on: what says nothing of itself is guarded.
 * Pages that anyone may see are so spared what is not for them; there is no route to guard where none was found.
 */
export function guard(app: FastifyInstance, hooks: Partial<Hooks>): void {
  app.addHook('onRoute', (route) => {
    if (route.config?.public) return
    for (const [name, hook] of Object.entries(hooks))
      Object.assign(route, { [name]: [route[name as keyof Hooks] ?? [], hook].flat() })
  })
}
