import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Database } from '../../db/database.ts'
import { ROLES } from '../../http/caller.ts'
import type { Change } from '../../http/change.ts'
import { Nullable } from '../../http/paging.ts'
import { pathId } from '../../lib/ids.ts'
import { type Invitation, invite, linkTo, listInvitations, makeResetLink, withdrawInvitation } from './user-links.ts'
import { changeRole, listMembers, type Member, removeMember, userEmail } from './users.ts'

interface Options {
  db: Database
  change: Change
  /** Where the admin UI is, for links. */
  url: string
}

const Role = Type.Enum([...ROLES], {
  description: 'viewer: look; editor: also change people, lists and what goes with them; admin: all.',
})

const UserOnWire = Type.Object({
  id: Type.Integer(),
  email: Type.String(),
  name: Type.String(),
  role: Role,
  created_at: Type.String({ description: 'Since when they may enter this account.' }),
  last_seen_at: Nullable(Type.String()),
})

const InvitationOnWire = Type.Object({
  id: Type.Integer(),
  email: Type.String(),
  role: Role,
  created_at: Type.String(),
  expires_at: Type.String(),
})

const Link = Type.String({ description: 'Works once. Shown only now: hand it to its person.' })

const ById = Type.Object({ id: Type.String() })
const tags = ['Users']
const config = { scope: 'admin' } as const

function userOnWire({ createdAt, lastSeenAt, ...user }: Member) {
  return { ...user, created_at: createdAt.toISOString(), last_seen_at: lastSeenAt?.toISOString() ?? null }
}

function invitationOnWire({ id, email, role, createdAt, expiresAt }: Invitation) {
  return { id, email, role, created_at: createdAt.toISOString(), expires_at: expiresAt.toISOString() }
}

/** Who may enter an account, and what they may do there. */
export const userRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { db, change, url }) => {
  app.get(
    '/api/users',
    {
      config,
      schema: {
        tags,
        operationId: 'listUsers',
        summary: 'Who may enter the account in a browser',
        response: { 200: Type.Array(UserOnWire) },
      },
    },
    async (request) => (await listMembers(db, request.caller.accountId)).map(userOnWire),
  )

  app.patch(
    '/api/users/:id',
    {
      config,
      schema: {
        tags,
        operationId: 'updateUser',
        summary: "Change a user's role in the account",
        params: ById,
        body: Type.Object({ role: Role }, { additionalProperties: false }),
      },
    },
    (request, reply) =>
      change(request, reply, async (trx) => {
        await changeRole(trx, request.caller, pathId(request.params.id), request.body.role)
        return { status: 204 }
      }),
  )

  app.delete(
    '/api/users/:id',
    {
      config,
      schema: {
        tags,
        operationId: 'removeUser',
        summary: 'Take a user out of the account',
        description: 'At once. Whoever is then in no account is removed altogether, and signed out everywhere.',
        params: ById,
      },
    },
    (request, reply) =>
      change(request, reply, async (trx) => {
        await removeMember(trx, request.caller, pathId(request.params.id))
        return { status: 204 }
      }),
  )

  app.post(
    '/api/users/:id/reset_link',
    {
      config,
      schema: {
        tags,
        operationId: 'makeResetLink',
        summary: 'Make a link by which a user sets a new password, within 24 hours',
        params: ById,
        response: { 201: Type.Object({ link: Link }) },
      },
    },
    (request, reply) =>
      change(request, reply, async (trx) => {
        const token = await makeResetLink(trx, request.caller, pathId(request.params.id))
        return { status: 201, body: { link: linkTo(url, token) } }
      }),
  )

  app.get(
    '/api/invitations',
    {
      config,
      schema: {
        tags,
        operationId: 'listInvitations',
        summary: 'Invitations that wait for their person, the latest first',
        response: { 200: Type.Array(InvitationOnWire) },
      },
    },
    async (request) => (await listInvitations(db, request.caller.accountId)).map(invitationOnWire),
  )

  app.post(
    '/api/invitations',
    {
      config,
      schema: {
        tags,
        operationId: 'inviteUser',
        summary: 'Invite someone into the account, by a link that works once, within 7 days',
        description: 'A new invitation of the same address replaces the one before, whose link works no more.',
        body: Type.Object({ email: Type.String({ maxLength: 320 }), role: Role }, { additionalProperties: false }),
        response: { 201: Type.Object({ ...InvitationOnWire.properties, link: Link }) },
      },
    },
    (request, reply) =>
      change(request, reply, async (trx) => {
        const { email, role } = request.body
        const made = await invite(trx, request.caller, { email: userEmail(email), role })
        return { status: 201, body: { ...invitationOnWire(made), link: linkTo(url, made.token) } }
      }),
  )

  app.delete(
    '/api/invitations/:id',
    {
      config,
      schema: { tags, operationId: 'withdrawInvitation', summary: 'Withdraw an invitation', params: ById },
    },
    (request, reply) =>
      change(request, reply, async (trx) => {
        await withdrawInvitation(trx, request.caller, pathId(request.params.id))
        return { status: 204 }
      }),
  )
}
