import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Database } from '../../db/database.ts'
import type { Change } from '../../http/change.ts'
import { collection, Nullable, NumberedPages, PageOf, pageOf } from '../../http/paging.ts'
import { LANGUAGES } from '../../languages/names.ts'
import type { Access } from './access.ts'
import { type Account, findAccount, updateAccount } from './accounts.ts'
import { listAudit } from './audit.ts'
import { AccountSettingsBody } from './settings-schema.ts'

const AccountOnWire = Type.Object({
  id: Type.Integer(),
  name: Type.String(),
  ...AccountSettingsBody.properties,
  languages: Type.Array(Type.String(), { description: 'Those that mails and public pages can have.' }),
  created_at: Type.String(),
  updated_at: Type.String(),
})

const AuditEntry = Type.Object({
  id: Type.Integer(),
  at: Type.String(),
  actor: Type.String(),
  ip: Nullable(Type.String()),
  action: Type.String(),
  data: Type.Record(Type.String(), Type.Unknown()),
})

const AccountPatch = Type.Object(
  {
    name: Type.Optional(Type.String({ maxLength: 255 })),
    ...Type.Partial(AccountSettingsBody).properties,
    retention: Type.Optional(Type.Partial(AccountSettingsBody.properties.retention)),
  },
  { additionalProperties: false },
)

function accountOnWire({ id, name, settings, createdAt, updatedAt }: Account) {
  return {
    ...{ id, name, ...settings, languages: [...LANGUAGES] },
    ...{ created_at: createdAt.toISOString(), updated_at: updatedAt.toISOString() },
  }
}

export const accountRoutes: FastifyPluginAsyncTypebox<{ db: Database; change: Change; access: Access }> = async (
  app,
  { db, change, access },
) => {
  app.get(
    '/api/account',
    {
      config: { scope: 'read' },
      schema: {
        tags: ['Account'],
        operationId: 'getAccount',
        summary: 'The account and its settings',
        response: { 200: AccountOnWire },
      },
    },
    async (request) => accountOnWire(await findAccount(db, request.caller.accountId)),
  )

  app.patch(
    '/api/account',
    {
      config: { scope: 'admin' },
      schema: {
        tags: ['Account'],
        operationId: 'updateAccount',
        summary: 'Change settings of the account',
        body: AccountPatch,
        response: { 200: AccountOnWire },
      },
    },
    (request, reply) =>
      change(request, reply, async (trx) => {
        const { accountId } = request.caller
        const account = await updateAccount(trx, request.caller, request.body)
        trx.afterCommit(() => access.forgetAccount(accountId))
        return { status: 200, body: accountOnWire(account) }
      }),
  )

  app.get(
    '/api/audit',
    {
      config: { scope: 'admin' },
      schema: {
        tags: ['Account'],
        operationId: 'listAudit',
        summary: 'Who did what by hand, the latest first',
        querystring: NumberedPages,
        response: { 200: PageOf(AuditEntry) },
      },
    },
    async (request) => {
      const page = pageOf(request.query)
      const { rows, total } = await listAudit(db, request.caller.accountId, page.perPage, page.offset)
      const shown = rows.map(({ at, ...row }) => ({ ...row, at: at.toISOString() }))
      return collection(shown, page, total, null)
    },
  )
}
