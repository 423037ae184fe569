import { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Database } from '../../db/database.ts'
import { AppError, invalid } from '../../lib/app-error.ts'
import { parseContactRef } from '../../lib/contact-ref.ts'
import { parseUuid } from '../../lib/ids.ts'
import { emailsIn, findContactNamed } from './contact-named.ts'
import { ACCOUNT_EVENT_TYPES, CONTACT_EVENT_TYPES } from './event-types.ts'
import { type FeedFilter, readFeed, readFeedBack, readHead } from './feed.ts'
import type { FeedCursors } from './feed-cursor.ts'
import { streamFeed } from './feed-stream.ts'
import type { FeedWatch } from './feed-watch.ts'
import { FeedBegunAnew, FeedPage } from './schemas.ts'
import { feedEventOnWire, type Naming } from './wire.ts'

interface Options {
  db: Database
  cursors: FeedCursors
  watch: FeedWatch
  nameFields: (accountId: number) => Promise<Naming>
}

const TYPES = [...CONTACT_EVENT_TYPES, ...ACCOUNT_EVENT_TYPES, 'erased']
const MOST_EVENTS = 1000

/** Streams of one account in one process: each is a connection that stays. */
const MOST_STREAMS = 100

const tags = ['Activity']

const WHICH = {
  include: Type.Optional(
    Type.Enum(['contact_email'], { description: "contact_email: with each event its contact's address of now." }),
  ),
  types: Type.Optional(
    Type.String({ description: `Only events of these types, separated by commas: ${TYPES.join(', ')}.` }),
  ),
  contact: Type.Optional(
    Type.String({
      maxLength: 320,
      description: 'Only events of this contact: its id, its address or ext: and its external id.',
    }),
  ),
}

export const feedRoutes: FastifyPluginAsyncTypebox<Options> = async (app, options) => {
  const { db, cursors, watch, nameFields } = options
  const streams = new Map<number, number>()

  /** What a request asks for, and from where on. Throws `invalid` and `gone`. */
  const asked = async (
    request: FastifyRequest,
    query: { types?: string; contact?: string },
    from: { place: string; cursor: string },
  ) => {
    const { accountId } = request.caller
    const filter: FeedFilter = {
      types: typesIn(query.types),
      contactId: await contactIdIn(db, accountId, query.contact),
    }
    const head = await readHead(db, accountId)
    const after =
      from.cursor === 'start'
        ? 0
        : from.cursor === 'now'
          ? head.position
          : cursors.read(accountId, head, from.cursor, from.place)
    return { accountId, filter, head, after }
  }

  app.get(
    '/api/events',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'readFeed',
        summary: 'All that happened in the account, in an order without gaps',
        description:
          'Go on with `after=NEXT_CURSOR`, at once while `has_more`, later when not: `next_cursor` is always there. ' +
          'With `types` or `contact` a page may hold few events or none and still have more behind it. ' +
          'With `before` instead of `after` it goes back, the latest first: from `now`, or from a cursor, which means the same place both ways. ' +
          'An event whose contact was removed keeps its place and reads `erased`.',
        querystring: Type.Object(
          {
            ...WHICH,
            after: Type.Optional(
              Type.String({
                maxLength: 200,
                description: '`next_cursor` of the page before, whatever its filters; `start` (the default), or `now`.',
              }),
            ),
            before: Type.Optional(
              Type.String({
                maxLength: 200,
                description: 'The other way: up to here, the latest first. `next_cursor` of any page, or `now`.',
              }),
            ),
            limit: Type.Optional(
              Type.Integer({ minimum: 1, maximum: MOST_EVENTS, description: 'Events at most; 100 unless given.' }),
            ),
          },
          { additionalProperties: false },
        ),
        response: { 200: FeedPage, 410: FeedBegunAnew },
      },
    },
    async (request, reply) => {
      const { query } = request
      const { before, limit = 100 } = query
      if (before !== undefined && query.after !== undefined)
        throw invalid({ before: ['goes back and after goes on: give one of them'] })
      const from =
        before === undefined ? { place: 'after', cursor: query.after ?? 'start' } : { place: 'before', cursor: before }
      const { accountId, filter, head, after: position } = await asked(request, query, from)
      const [{ rows, readTo }, name] = await Promise.all([
        before === undefined
          ? readFeed(db, accountId, { after: position, head, limit, filter })
          : readFeedBack(db, accountId, { upTo: position, limit, filter }),
        nameFields(accountId),
      ])
      const emails = query.include === undefined ? undefined : await emailsIn(db, accountId, rows)
      // Of values that are of no fixed shape, the engine's own serialiser takes little more than half the time of Fastify's.
      return reply
        .type('application/json; charset=utf-8')
        .serializer(JSON.stringify)
        .send({
          data: rows.map((row) => feedEventOnWire(row, name, emails)),
          next_cursor: cursors.write(accountId, head, readTo),
          has_more: before === undefined ? readTo < head.position : readTo > 0,
        })
    },
  )

  app.get(
    '/api/events/stream',
    {
      exposeHeadRoute: false, // its headers come with what has no end
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'streamFeed',
        summary: 'The same as server-sent events, as they happen',
        description:
          'Each message has the cursor as its `id`, the type as its `event`, and the event as JSON in its `data`. A reader ' +
          'that comes back with `Last-Event-ID`, as browsers do by themselves, misses nothing. Every 15 s there is a comment.',
        querystring: Type.Object(
          {
            ...WHICH,
            after: Type.Optional(
              Type.String({
                maxLength: 200,
                description: 'A cursor, `start`, or `now` (the default). Last-Event-ID wins over it.',
              }),
            ),
          },
          { additionalProperties: false },
        ),
        response: {
          200: Type.Unsafe<Readable>({ type: 'string', description: 'text/event-stream' }),
          410: FeedBegunAnew,
        },
      },
    },
    async (request, reply) => {
      const { query } = request
      const lastId = request.headers['last-event-id']
      const from =
        typeof lastId === 'string' && lastId !== ''
          ? { place: 'Last-Event-ID', cursor: lastId }
          : { place: 'after', cursor: query.after ?? 'now' }
      const { accountId, filter, head, after } = await asked(request, query, from)
      const open = streams.get(accountId) ?? 0
      if (open >= MOST_STREAMS)
        throw new AppError('rate_limited', `There are ${MOST_STREAMS} streams already: end some of them first`)
      streams.set(accountId, open + 1)
      const gone = new AbortController()
      const leave = () => {
        if (gone.signal.aborted) return
        streams.set(accountId, streams.get(accountId)! - 1)
        gone.abort()
      }
      reply.raw.once('close', leave)
      if (request.raw.socket.destroyed) leave() // while we looked for where to begin
      const events = streamFeed({
        ...{ db, watch, cursors, accountId, head, after, filter, nameFields, signal: gone.signal },
        withEmails: query.include !== undefined,
        isAllowed: request.isStillGranted,
      })
      reply.type('text/event-stream').header('cache-control', 'no-store').header('x-accel-buffering', 'no')
      return reply.send(Readable.from(events, { objectMode: false }))
    },
  )

  app.addHook('preClose', async () => watch.stop())
}

/** Throws `invalid` for a type that there is not. */
function typesIn(text: string | undefined): string[] {
  const types = (text ?? '')
    .split(',')
    .map((type) => type.trim())
    .filter(Boolean)
  const unknown = types.filter((type) => !TYPES.includes(type))
  if (unknown.length > 0)
    throw invalid({ types: [`${unknown.join(', ')} is not a type of event: there are ${TYPES.join(', ')}`] })
  return [...new Set(types)]
}

/** An id is taken as it is: the contact may be gone, and its `deleted` event asked for. Throws `invalid`. */
async function contactIdIn(db: Database, accountId: number, name: string | undefined): Promise<string | undefined> {
  if (name === undefined) return undefined
  const id = parseUuid(name) ?? (await findContactNamed(db, accountId, parseContactRef(name)))?.id
  if (id === undefined) throw invalid({ contact: ['is not the id or address of a contact'] })
  return id
}
