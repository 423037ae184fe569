import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Change } from '../../http/change.ts'
import { Nullable } from '../../http/paging.ts'
import type { Queue } from '../../jobs/queue.ts'
import { pathId } from '../../lib/ids.ts'
import { revertChangeSet } from './revert.ts'

const Reversal = Type.Object({
  dry_run: Type.Boolean(),
  reverts: Type.Integer(),
  change_set_id: Nullable(Type.Integer()),
  phase: Type.String(),
  counts: Type.Object({
    removed: Type.Integer({ description: 'Contacts that the act had created and nobody has touched since.' }),
    restored: Type.Integer({ description: 'Contacts that get back what the act had changed.' }),
    kept: Type.Integer({ description: 'Contacts of which something stays, as it was changed since.' }),
    gone: Type.Integer({ description: 'Contacts that are no longer there.' }),
  }),
})

export const revertRoutes: FastifyPluginAsyncTypebox<{ change: Change; queue: Queue }> = async (
  app,
  { change, queue },
) => {
  // An import is a change set of the same number, and is looked for among the imports.
  for (const [url, operationId] of [
    ['/api/change_sets/:id/revert', 'revertChangeSet'],
    ['/api/contact_imports/:id/revert', 'revertImport'],
  ] as const) {
    app.post(
      url,
      {
        config: { scope: 'write' },
        schema: {
          tags: ['Change sets'],
          operationId,
          summary: 'Take an act on many people back, or see what would come of it',
          params: Type.Object({ id: Type.String() }),
          body: Type.Optional(
            Type.Union([
              Type.Object({ dry_run: Type.Optional(Type.Boolean()) }, { additionalProperties: false }),
              Type.Null(),
            ]),
          ),
          response: { 200: Reversal },
        },
      },
      (request, reply) =>
        change(request, reply, async (trx) => {
          const id = pathId(request.params.id)
          const body = await revertChangeSet(trx, queue, request.caller, id, request.body?.dry_run === true)
          return { status: 200, body }
        }),
    )
  }
}
