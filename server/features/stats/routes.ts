import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Database } from '../../db/database.ts'
import { Recent } from '../../db/recent.ts'
import { type Cursors, Nullable, PagingQuery, pageOf } from '../../http/paging.ts'
import { invalid } from '../../lib/app-error.ts'
import { isFullIsoDate } from '../../lib/dates.ts'
import { displayEmail } from '../../lib/email.ts'
import { pathId } from '../../lib/ids.ts'
import type { AccountSettings } from '../accounts/settings.ts'
import { readFormHistory } from './form-history.ts'
import { type Move, readListDays, readMoves } from './list-history.ts'
import { readStats } from './stats.ts'

interface Options {
  db: Database
  cursors: Cursors
  settingsOf: (accountId: number) => Promise<AccountSettings>
}

const Count = Type.Integer()
const Counts = Type.Record(Type.String(), Count)
const Days = Type.Object(
  { days: Type.Optional(Type.Integer({ minimum: 1, maximum: 366, default: 30 })) },
  { additionalProperties: false },
)
const ListParams = Type.Object({ list_id: Type.String() })
const MOVES = ['entered', 'left'] as const
const tags = ['Statistics']

/** How long an answer is believed: it may take a second to count, and is looked at again and again. */
const KEPT_MS = 30_000

export const statsRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { db, cursors, settingsOf }) => {
  const recent = new Recent(
    async (key: string) => {
      const [accountId = 0, days = 0] = key.split(' ').map(Number)
      return readStats(db, accountId, await settingsOf(accountId), days)
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
        description:
          `Counted at most every ${KEPT_MS / 1000} seconds. Days are those of the account's time zone. \`subscribed\` is of people who ` +
          "are there now: of whom were subscribed at the day's end, counted back by what events tell of their states; for days before " +
          'those that events are kept, by permissions given and withdrawn.',
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
    '/api/stats/forms',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'getFormStats',
        summary: 'How often each form was filled, and how many of its sign-ups were confirmed, day by day',
        description:
          "Days are those of the account's time zone. `sign_ups` are all that were sent, of people who are known as well; `confirmed` " +
          'those whose link was followed and, where nobody has to confirm, who came in at once. Each is counted on its own day, and ' +
          'stays counted when the person is removed.',
        querystring: Days,
        response: {
          200: Type.Object({
            data: Type.Array(
              Type.Object({
                form_id: Type.Integer(),
                sign_ups: Count,
                confirmed: Count,
                days: Type.Array(Type.Object({ day: Type.String(), sign_ups: Count, confirmed: Count })),
              }),
            ),
          }),
        },
      },
    },
    async (request) => {
      const { accountId } = request.caller
      const { time_zone: timeZone } = await settingsOf(accountId)
      return { data: await readFormHistory(db, accountId, timeZone, request.query.days ?? 30) }
    },
  )

  app.get(
    '/api/contact_lists/:list_id/growth',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'getListGrowth',
        summary: 'Whom a list took in and let go, day by day, and how many were in it',
        description:
          "`contacts` at a day's end are counted back from now by who entered and left. Whom new criteria moved silently, and who was " +
          'removed since, is not told: as if they had always been where they are now.',
        params: ListParams,
        querystring: Days,
        response: {
          200: Type.Object({
            days: Type.Array(Type.Object({ day: Type.String(), entered: Count, left: Count, contacts: Count })),
          }),
        },
      },
    },
    async (request) => {
      const { accountId } = request.caller
      const { time_zone: timeZone } = await settingsOf(accountId)
      const listId = pathId(request.params.list_id)
      return { days: await readListDays(db, accountId, listId, timeZone, request.query.days ?? 30) }
    },
  )

  app.get(
    '/api/contact_lists/:list_id/moves',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'getListMoves',
        summary: 'Who entered a list and who left it, the latest first',
        description:
          'Of a smart list by its criteria, of a static one by acts. A page may hold few or none and still have more behind it: it ' +
          'is at its end when `next_cursor` is null. Who was removed from the account is not told any more.',
        params: ListParams,
        querystring: Type.Object(
          {
            day: Type.Optional(
              Type.String({ description: "Only those of this day of the account's time zone, such as 2026-01-31." }),
            ),
            move: Type.Optional(Type.Enum([...MOVES])),
            per_page: PagingQuery.per_page,
            cursor: PagingQuery.cursor,
          },
          { additionalProperties: false },
        ),
        response: {
          200: Type.Object({
            data: Type.Array(
              Type.Object({
                event_id: Type.String(),
                at: Type.String(),
                move: Type.Enum([...MOVES]),
                contact_id: Type.String(),
                email: Type.String(),
                change_set_id: Nullable(Type.Integer()),
              }),
            ),
            per_page: Type.Integer(),
            next_cursor: Nullable(Type.String()),
          }),
        },
      },
    },
    async (request) => {
      const { accountId } = request.caller
      const { day, move, cursor } = request.query
      if (day !== undefined && !isFullIsoDate(day)) throw invalid({ day: ['is not a day: write YYYY-MM-DD'] })
      const listId = pathId(request.params.list_id)
      const { perPage } = pageOf(request.query)
      const scope = ['moves', accountId, listId, day ?? null, move ?? null]
      const before = cursor === undefined ? undefined : String(cursors.read(scope, cursor)[0])
      const { time_zone: timeZone } = await settingsOf(accountId)
      const asked = { day, timeZone, move: move as Move['move'] | undefined, before, limit: perPage }
      const found = await readMoves(db, accountId, listId, asked)
      return {
        data: found.rows.map(({ id, at, email, ...row }) => ({
          ...{ event_id: id, at: at.toISOString(), email: displayEmail(email) },
          ...row,
        })),
        per_page: perPage,
        next_cursor: found.before === undefined ? null : cursors.write(scope, [found.before]),
      }
    },
  )
}
