import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Change } from '../../http/change.ts'
import { invalid, notFound } from '../../lib/app-error.ts'
import { parseContactRef } from '../../lib/contact-ref.ts'
import { contactNamed } from '../activity/contact-named.ts'
import type { MailRoom } from '../mail/mail-room.ts'
import { holdAnyList } from './leave.ts'
import { sendTemplate } from './send-template.ts'
import { holdStandings } from './standing.ts'

interface Options {
  change: Change
  room: MailRoom
}

export const sendRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { change, room }) => {
  app.post(
    '/api/templates/:name/send',
    {
      config: { scope: 'write' },
      schema: {
        tags: ['Mail'],
        operationId: 'sendTemplate',
        summary: 'Mail a template to a contact who may be mailed',
        params: Type.Object({ name: Type.String() }),
        body: Type.Object(
          {
            email: Type.Optional(Type.String({ description: 'Whom; or contact_id.' })),
            contact_id: Type.Optional(Type.String({ description: 'Id, or ext: and the external id.' })),
            list_id: Type.Optional(
              Type.Integer({
                minimum: 1,
                maximum: Number.MAX_SAFE_INTEGER,
                description: 'Of which list the mail is: its link leaves that list, and who has left it is not mailed.',
              }),
            ),
            variables: Type.Optional(Type.Record(Type.String(), Type.Unknown(), { maxProperties: 100 })),
          },
          { additionalProperties: false },
        ),
        response: {
          201: Type.Object({
            message_id: Type.String(),
            contact_id: Type.String(),
            undefined_variables: Type.Array(Type.String(), {
              description: 'That the template names and nobody gave: they are empty.',
            }),
          }),
        },
      },
    },
    (request, reply) => {
      const { accountId } = request.caller
      const { email, contact_id, list_id: listId = null, variables = {} } = request.body
      const place = email === undefined ? 'contact_id' : 'email'
      const named = email ?? contact_id
      if (named === undefined || (email !== undefined && contact_id !== undefined))
        throw invalid({ email: ['must be given, or contact_id, and not both'] })
      return change(request, reply, async (trx) => {
        if (listId !== null && !(await holdAnyList(trx, accountId, listId)))
          throw invalid({ list_id: [`not found: ${listId}`] })
        const { id } = await contactNamed(trx, accountId, parseContactRef(named))
        const [person] = await holdStandings(trx, accountId, [id])
        if (!person) throw notFound()
        const sending = { template: request.params.name, variables, listId }
        const { messageId, undefinedVariables } = await sendTemplate(trx, room, accountId, person, sending, place)
        return {
          status: 201,
          body: { message_id: messageId, contact_id: id, undefined_variables: undefinedVariables },
        }
      })
    },
  )
}
