import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Database } from '../../db/database.ts'
import { Recent } from '../../db/recent.ts'
import { pathId } from '../../lib/ids.ts'
import type { AccountSettings } from '../accounts/settings.ts'
import { requireList } from '../lists/lists.ts'
import { readListDays, readStats } from './stats.ts'

interface Options {
  db: Database
  settingsOf: (accountId: number) => Promise<AccountSettings>
}

const Count = Type.Integer()
const Counts = Type.Record(Type.String(), Count)
const Days = Type.Object(
  { days: Type.Optional(Type.Integer({ minimum: 1, maximum: 366, default: 30 })) },
  { additionalProperties: false },
)
const tags = ['Statistics']

/** How long an answer is believed: it may take a second to count, and is looked at again and again. */
const KEPT_MS = 30_000

export const statsRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { db, settingsOf }) => {
  const recent = new Recent(
    async (key: string) => {
      const [accountId = 0, days = 0] = key.split(' ').map(Number)
      return readStats(db, accountId, (await settingsOf(accountId)).time_zone, days)
    },
    { ttlMs: KEPT_MS, max: 1000 },
  )

  app.get(
    '/api/stats',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'getStats',
        summary: 'How the audience stands, and how it moved in the last days',
        description: `Counted at most every ${KEPT_MS / 1000} seconds. Days are those of the account's time zone.`,
        querystring: Days,
        response: {
          200: Type.Object({
            by_state: Counts,
            by_origin: Counts,
            days: Type.Array(Type.Object({ day: Type.String(), joined: Count, left: Count, subscribed: Count })),
            mail: Counts,
            mails_waiting: Count,
            moved: Type.Array(
              Type.Object({ list_id: Type.Integer(), name: Type.String(), entered: Count, left: Count }),
            ),
          }),
        },
      },
    },
    (request) => recent.get(`${request.caller.accountId} ${request.query.days ?? 30}`),
  )

  app.get(
    '/api/contact_lists/:list_id/growth',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'getListGrowth',
        summary: 'Whom a list took in and let go, day by day',
        params: Type.Object({ list_id: Type.String() }),
        querystring: Days,
        response: {
          200: Type.Object({
            days: Type.Array(Type.Object({ day: Type.String(), entered: Count, left: Count })),
          }),
        },
      },
    },
    async (request) => {
      const { accountId } = request.caller
      const listId = pathId(request.params.list_id)
      await requireList(db, accountId, listId)
      const { time_zone: timeZone } = await settingsOf(accountId)
      return { days: await readListDays(db, accountId, listId, timeZone, request.query.days ?? 30) }
    },
  )
}
