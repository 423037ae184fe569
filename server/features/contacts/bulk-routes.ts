import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Trx } from '../../db/database.ts'
import type { Caller } from '../../http/caller.ts'
import type { Change } from '../../http/change.ts'
import type { Queue } from '../../jobs/queue.ts'
import { pathId } from '../../lib/ids.ts'
import { changeSetOnWire } from '../activity/routes.ts'
import { ChangeSet } from '../activity/schemas.ts'
import { applyBulk, cancelBulk, startBulk } from './bulk.ts'
import { BulkInput } from './bulk-input.ts'
import type { Desk } from './desk.ts'

interface Options {
  change: Change
  queue: Queue
  deskOf: (caller: Caller) => Promise<Desk>
}

export const bulkRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { change, queue, deskOf }) => {
  app.post(
    '/api/contacts/bulk',
    {
      config: { scope: 'write' },
      schema: {
        tags: ['Change sets'],
        operationId: 'startBulk',
        summary: 'Do something to everyone selected',
        description:
          'A change set: `GET change_sets/ID` tells how far it is, `/diff` what became of each; it can be cancelled and, but for `delete`, reverted.',
        body: BulkInput,
        response: { 201: ChangeSet },
      },
    },
    async (request, reply) => {
      const desk = await deskOf(request.caller)
      return change(request, reply, async (trx) => ({
        status: 201,
        body: changeSetOnWire(await startBulk(trx, queue, desk, request.body)),
      }))
    },
  )

  const acts: [string, string, string, (trx: Trx, accountId: number, id: number) => ReturnType<typeof cancelBulk>][] = [
    ['apply', 'applyBulk', 'Do what a trial has planned', (trx, accountId, id) => applyBulk(trx, queue, accountId, id)],
    ['cancel', 'cancelBulk', 'End a bulk act where it is', cancelBulk],
  ]
  for (const [name, operationId, summary, act] of acts) {
    app.post(
      `/api/change_sets/:id/${name}`,
      {
        config: { scope: 'write' },
        schema: {
          tags: ['Change sets'],
          operationId,
          summary,
          params: Type.Object({ id: Type.String() }),
          response: { 200: ChangeSet },
        },
      },
      (request, reply) =>
        change(request, reply, async (trx) => {
          const id = pathId((request.params as { id: string }).id)
          return { status: 200, body: changeSetOnWire(await act(trx, request.caller.accountId, id)) }
        }),
    )
  }
}
