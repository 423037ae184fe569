import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Database, Queryable } from '../../db/database.ts'
import type { Recent } from '../../db/recent.ts'
import type { Change } from '../../http/change.ts'
import { textsIn } from '../../languages/languages.ts'
import { pathId } from '../../lib/ids.ts'
import type { Account } from '../accounts/accounts.ts'
import { loadFields } from '../fields/field-set.ts'
import { linkBase, type MailRoom, shownBase } from '../mail/mail-room.ts'
import { askedBy, embedOf } from './form-page.ts'
import {
  createForm,
  deleteForm,
  type FormRow,
  findForm,
  formOnWire,
  listForms,
  publicIdOf,
  updateForm,
} from './forms.ts'
import { html } from './html.ts'
import { previewForm } from './preview.ts'
import { Embed, Form, FormInput, FormPatch, FormPreview } from './schemas.ts'

interface Options {
  db: Database
  change: Change
  room: MailRoom
  forms: Recent<string, FormRow | undefined>
  accountOf: (accountId: number) => Promise<Account>
}

const Params = Type.Object({ form_id: Type.String() })
const tags = ['Forms']

/** Sign-up forms, for whoever runs the account. */
export const formApiRoutes: FastifyPluginAsyncTypebox<Options> = async (
  app,
  { db, change, room, forms, accountOf },
) => {
  const onWire = async (source: Queryable, row: FormRow) =>
    formOnWire(row, await loadFields(source, row.account_id), shownBase(room))
  const idOf = ({ params }: FastifyRequest<{ Params: { form_id: string } }>) => pathId(params.form_id)

  app.get(
    '/api/forms',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'listForms',
        summary: 'Sign-up forms',
        response: { 200: Type.Object({ data: Type.Array(Form) }) },
      },
    },
    async ({ caller: { accountId } }) => {
      const [rows, fields] = await Promise.all([listForms(db, accountId), loadFields(db, accountId)])
      return { data: rows.map((row) => formOnWire(row, fields, shownBase(room))) }
    },
  )

  app.post(
    '/api/forms',
    {
      config: { scope: 'write', body: { hasLists: true } },
      schema: {
        tags,
        operationId: 'createForm',
        summary: 'Create a sign-up form',
        body: FormInput,
        response: { 201: Type.Object({ data: Form }) },
      },
    },
    (request, reply) =>
      change(request, reply, async (trx) => {
        linkBase(room) // people are asked by mail
        const row = await createForm(trx, request.caller, request.body)
        return { status: 201, body: { data: await onWire(trx, row) } }
      }),
  )

  app.get(
    '/api/forms/:form_id',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'getForm',
        summary: 'One form',
        params: Params,
        response: { 200: Type.Object({ data: Form }) },
      },
    },
    async (request) => ({
      data: await onWire(db, await findForm(db, request.caller.accountId, idOf(request))),
    }),
  )

  app.patch(
    '/api/forms/:form_id',
    {
      config: { scope: 'write', body: { hasLists: true } },
      schema: {
        tags,
        operationId: 'updateForm',
        summary: 'Change a form: what is given becomes its next version',
        params: Params,
        body: FormPatch,
        response: { 200: Type.Object({ data: Form }) },
      },
    },
    (request, reply) =>
      change(request, reply, async (trx) => {
        const row = await updateForm(trx, request.caller, idOf(request), request.body)
        trx.afterCommit(() => forms.forget(publicIdOf(row)))
        return { status: 200, body: { data: await onWire(trx, row) } }
      }),
  )

  app.delete(
    '/api/forms/:form_id',
    {
      config: { scope: 'write' },
      schema: { tags, operationId: 'deleteForm', summary: 'Remove a form; who has come by it stays', params: Params },
    },
    (request, reply) =>
      change(request, reply, async (trx) => {
        const row = await deleteForm(trx, request.caller, idOf(request))
        trx.afterCommit(() => forms.forget(publicIdOf(row)))
        return { status: 204 }
      }),
  )

  app.post(
    '/api/forms/preview',
    {
      config: { scope: 'read', body: { hasLists: true } },
      schema: {
        tags,
        operationId: 'previewForm',
        summary: 'The page that a form of these settings would have; saves nothing',
        body: FormPreview,
        response: {
          200: Type.Object({ data: Type.Object({ html: Type.String({ description: 'A whole document.' }) }) }),
        },
      },
    },
    async ({ caller: { accountId }, body }) => {
      const [account, fields] = await Promise.all([accountOf(accountId), loadFields(db, accountId)])
      return { data: { html: previewForm(account, fields, body) } }
    },
  )

  app.get(
    '/api/forms/:form_id/embed',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'getFormEmbed',
        summary: 'HTML that puts a form into a page of your own',
        params: Params,
        response: { 200: Type.Object({ data: Embed }) },
      },
    },
    async (request) => {
      const { accountId } = request.caller
      const form = await findForm(db, accountId, idOf(request))
      const { settings } = await accountOf(accountId)
      const url = `${linkBase(room)}/f/${publicIdOf(form)}`
      const asked = askedBy(form, await loadFields(db, accountId))
      const iframe = html`<iframe src="${url}" title="${form.name}" width="100%" height="640" style="border:0"></iframe>`
      return { data: { url, html: embedOf(form, asked, url, textsIn(settings.language)), iframe: iframe.text } }
    },
  )
}
