import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Database, Trx } from '../../db/database.ts'
import type { Caller } from '../../http/caller.ts'
import type { Change } from '../../http/change.ts'
import { collection, Nullable, NumberedPages, PageOf, pageOf } from '../../http/paging.ts'
import { invalid, notFound } from '../../lib/app-error.ts'
import { parseContactRef } from '../../lib/contact-ref.ts'
import { contactNamed } from '../activity/contact-named.ts'
import { linkBase } from '../mail/mail-room.ts'
import { listConsents } from '../subscriptions/consents.ts'
import type { Evidence } from '../subscriptions/evidence.ts'
import { holdAnyList, leave, leaveList } from '../subscriptions/leave.ts'
import { linksOf } from '../subscriptions/links.ts'
import { resubscribe } from '../subscriptions/resubscribe.ts'
import { type Held, holdStandings } from '../subscriptions/standing.ts'
import { readContact } from './contact.ts'
import type { Desk } from './desk.ts'
import type { ContactReader } from './find.ts'
import { Contact, Links } from './schemas.ts'

interface Options {
  db: Database
  change: Change
  reader: ContactReader
  deskOf: (caller: Caller) => Promise<Desk>
}

const ContactParams = Type.Object({ contact: Type.String() })
const ListId = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })
const tags = ['Permission']

const Consent = Type.Object({
  id: Type.String(),
  action: Type.Enum(['granted', 'withdrawn']),
  grade: Type.Enum(['observed', 'asserted'], {
    description: 'Seen on our own pages, or told by a caller or a file.',
  }),
  list_id: Nullable(Type.Integer({ description: 'null: all mail.' })),
  source: Type.String(),
  actor: Type.String(),
  ip: Nullable(Type.String()),
  data: Type.Record(Type.String(), Type.Unknown()),
  at: Type.String(),
})

/** A person's word that a caller tells us. */
const toldBy = ({ actor, ip }: Caller): Evidence => ({ grade: 'asserted', source: 'api', actor, ip })

export const permissionRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { db, change, reader, deskOf }) => {
  /** Throws not_found. */
  const hold = async (trx: Trx, accountId: number, named: string): Promise<Held> => {
    const { id } = await contactNamed(trx, accountId, parseContactRef(named))
    const [person] = await holdStandings(trx, accountId, [id])
    if (!person) throw notFound()
    return person
  }
  const show = async (trx: Trx, accountId: number, id: string) =>
    reader.showIn(trx, accountId, (await readContact(trx, accountId, { by: 'id', id }))!)

  app.post(
    '/api/contacts/:contact/unsubscribe',
    {
      config: { scope: 'write' },
      schema: {
        tags,
        operationId: 'unsubscribeContact',
        summary: 'A person leaves by their own act: all mail, or one list',
        description: 'Only a confirmation by that person undoes it: no update, import or resubscribe does.',
        params: ContactParams,
        body: Nullable(Type.Object({ list_id: Type.Optional(ListId) }, { additionalProperties: false })),
        response: { 200: Type.Object({ data: Contact }) },
      },
    },
    async (request, reply) => {
      const { caller } = request
      const { accountId } = caller
      const listId = request.body?.list_id
      return change(request, reply, async (trx) => {
        // The list before the contact, as everyone who needs both.
        if (listId !== undefined && !(await holdAnyList(trx, accountId, listId)))
          throw invalid({ list_id: [`not found: ${listId}`] })
        const person = await hold(trx, accountId, request.params.contact)
        if (listId === undefined) leave(trx, accountId, [person], toldBy(caller))
        else await leaveList(trx, accountId, listId, [person], toldBy(caller))
        return { status: 200, body: { data: await show(trx, accountId, person.id) } }
      })
    },
  )

  app.post(
    '/api/contacts/:contact/resubscribe',
    {
      config: { scope: 'write' },
      schema: {
        tags,
        operationId: 'resubscribeContact',
        summary: 'Ask a person to confirm that they want mail',
        description:
          'Subscribes nobody by itself. With `send_confirmation` (the default) a mail asks them; without, the answer has the link for you to give them. Who is subscribed stays so.',
        params: ContactParams,
        body: Nullable(
          Type.Object({ send_confirmation: Type.Optional(Type.Boolean()) }, { additionalProperties: false }),
        ),
        response: {
          200: Type.Object({
            data: Contact,
            confirmation_url: Type.Optional(Nullable(Type.String())),
            expires_at: Type.Optional(Nullable(Type.String())),
          }),
        },
      },
    },
    async (request, reply) => {
      const { accountId } = request.caller
      const { asking } = await deskOf(request.caller)
      const mail = request.body?.send_confirmation ?? true
      return change(request, reply, async (trx) => {
        const person = await hold(trx, accountId, request.params.contact)
        const asked = await resubscribe(trx, asking, accountId, person, mail)
        const link = { confirmation_url: asked?.url ?? null, expires_at: asked?.expiresAt.toISOString() ?? null }
        return { status: 200, body: { data: await show(trx, accountId, person.id), ...(mail ? {} : link) } }
      })
    },
  )

  app.get(
    '/api/contacts/:contact/consents',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'listConsents',
        summary: 'Every permission of a person and its withdrawal, the latest first',
        params: ContactParams,
        querystring: NumberedPages,
        response: { 200: PageOf(Consent) },
      },
    },
    async (request) => {
      const { accountId } = request.caller
      const page = pageOf(request.query)
      const { id } = await contactNamed(db, accountId, parseContactRef(request.params.contact))
      const { rows, total } = await listConsents(db, accountId, id, page.perPage, page.offset)
      const shown = rows.map(({ at, data: { list_id, ...data }, ...row }) => ({
        ...row,
        list_id: typeof list_id === 'number' ? list_id : null,
        data,
        at: at.toISOString(),
      }))
      return collection(shown, page, total, null)
    },
  )

  app.get(
    '/api/contacts/:contact/links',
    {
      // Whoever has one acts for the person.
      config: { scope: 'write' },
      schema: {
        tags,
        operationId: 'getContactLinks',
        summary: "A person's own links, to be put into mail to them",
        description: 'With `list_id` the link leaves that list alone. It takes the one-click POST of RFC 8058 as well.',
        params: ContactParams,
        querystring: Type.Object({ list_id: Type.Optional(ListId) }, { additionalProperties: false }),
        response: { 200: Links },
      },
    },
    async (request) => {
      const { accountId } = request.caller
      const { list_id: listId = null } = request.query
      const { asking, keyring } = await deskOf(request.caller)
      const { id, email } = await contactNamed(db, accountId, parseContactRef(request.params.contact))
      return linksOf(linkBase(asking.room), keyring, { accountId, contactId: id, email, listId })
    },
  )
}
