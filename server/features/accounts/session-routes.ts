import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Database } from '../../db/database.ts'
import type { Browser } from '../../http/browser.ts'
import { ROLES, type Visit } from '../../http/caller.ts'
import { Nullable } from '../../http/paging.ts'
import { addressOf, senderOf } from '../../http/sender.ts'
import { AppError, notFound } from '../../lib/app-error.ts'
import { pathId } from '../../lib/ids.ts'
import { Passwords } from './passwords.ts'
import { endSession, endSessionOf, endSessions, findVisit, listSessions, type Place } from './sessions.ts'
import { settingsFrom } from './settings.ts'
import { changePassword, signIn } from './sign-in.ts'
import { SignInAttempts } from './sign-in-attempts.ts'
import { useLink } from './use-link.ts'
import { lookAtLink } from './user-links.ts'
import { accountsOf, findUser, renameUser } from './users.ts'

interface Options {
  db: Database
  browser: Browser
  /** Wrong passwords in 15 minutes, of an address of a user from one network. */
  signInAttempts: number
}

const UserOnWire = Type.Object({ id: Type.Integer(), email: Type.String(), name: Type.String() })

const SessionOnWire = Type.Object({
  user: UserOnWire,
  accounts: Type.Array(
    Type.Object({
      id: Type.Integer(),
      name: Type.String(),
      role: Type.Enum([...ROLES]),
      time_zone: Type.String(),
      color: Type.String(),
    }),
    { description: 'Those that the user may enter, by name.' },
  ),
})

const Email = Type.String({ maxLength: 320 })
const Password = Type.String({ maxLength: 1000 })
const Token = Type.String({ maxLength: 100, description: 'What stands behind the # in the link.' })

const tags = ['Session']
const optional = { session: 'optional' } as const
const required = { session: 'required' } as const

/** For the person at the browser: signing in and out, links that work once, their password, where they are signed in. */
export const sessionRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { db, browser, signInAttempts }) => {
  const attempts = new SignInAttempts(signInAttempts)
  const tools = { db, attempts, passwords: new Passwords() }
  const placeOf = (request: FastifyRequest): Place => ({
    ip: addressOf(request),
    network: senderOf(request),
    agent: request.headers['user-agent'],
  })

  const sessionOf = async (userId: number) => {
    const [user, accounts] = await Promise.all([findUser(db, userId), accountsOf(db, userId)])
    if (!user) throw new AppError('session_ended', 'Your session has ended: sign in again')
    const { id, email, name } = user
    return {
      user: { id, email, name },
      accounts: accounts.map((account) => {
        const { time_zone, color } = settingsFrom(account.settings)
        return { id: account.id, name: account.name, role: account.role, time_zone, color }
      }),
    }
  }

  /** Answers who is signed in from now on. */
  const welcome = async (reply: FastifyReply, token: string) => {
    browser.keepSession(reply, token)
    const visit = await findVisit(db, token, null)
    if (!visit) throw new AppError('session_ended', 'Your session has ended: sign in again')
    return reply.code(201).send(await sessionOf(visit.userId))
  }

  app.post(
    '/api/session',
    {
      config: optional,
      schema: {
        tags,
        operationId: 'signIn',
        summary: 'Sign in: the answer sets a cookie',
        description:
          'For browsers. Requests with the cookie name the account in their path, `/api/accounts/{account_id}/…`, and the ' +
          'role of the user there says what they may. Those that are no GET carry the header `x-rollcall-ui: 1`. ' +
          'A 401 with the code `session_ended` asks to sign in again.',
        body: Type.Object({ email: Email, password: Password }, { additionalProperties: false }),
        response: { 201: SessionOnWire },
      },
    },
    async (request, reply) =>
      welcome(reply, await signIn(tools, request.body, placeOf(request), browser.sessionOf(request))),
  )

  app.get(
    '/api/session',
    {
      config: required,
      schema: {
        tags,
        operationId: 'getSession',
        summary: 'Who is signed in, and which accounts they may enter',
        response: { 200: SessionOnWire },
      },
    },
    async (request) => sessionOf(visitOf(request).userId),
  )

  app.patch(
    '/api/session',
    {
      config: required,
      schema: {
        tags,
        operationId: 'updateSession',
        summary: 'Change the name of whoever is signed in',
        body: Type.Object({ name: Type.String({ maxLength: 255 }) }, { additionalProperties: false }),
        response: { 200: SessionOnWire },
      },
    },
    async (request) => {
      const { userId } = visitOf(request)
      await renameUser(db, userId, request.body.name)
      return sessionOf(userId)
    },
  )

  app.delete(
    '/api/session',
    { config: optional, schema: { tags, operationId: 'signOut', summary: 'Sign out' } },
    async (request, reply) => {
      const token = browser.sessionOf(request)
      if (token !== undefined) await endSessionOf(db, token)
      browser.forgetSession(reply)
      return reply.code(204).send()
    },
  )

  app.patch(
    '/api/session/password',
    {
      config: required,
      schema: {
        tags,
        operationId: 'changePassword',
        summary: 'Change the password, which ends all other sessions of the user',
        body: Type.Object({ current_password: Password, password: Password }, { additionalProperties: false }),
      },
    },
    async (request, reply) => {
      const { current_password: current, password: next } = request.body
      await changePassword(tools, { ...visitOf(request), current, next }, placeOf(request))
      return reply.code(204).send()
    },
  )

  app.get(
    '/api/sessions',
    {
      config: required,
      schema: {
        tags,
        operationId: 'listSessions',
        summary: 'Where the user is signed in, the last used first',
        response: {
          200: Type.Array(
            Type.Object({
              id: Type.Integer(),
              ip: Nullable(Type.String()),
              agent: Nullable(Type.String({ description: "The browser's name for itself." })),
              is_current: Type.Boolean(),
              created_at: Type.String(),
              seen_at: Type.String({ description: 'To the minute.' }),
              expires_at: Type.String({ description: 'When it ends unless it is used.' }),
            }),
          ),
        },
      },
    },
    async (request) => {
      const { userId, sessionId } = visitOf(request)
      const sessions = await listSessions(db, userId)
      return sessions.map(({ id, ip, agent, createdAt, seenAt, expiresAt }) => ({
        ...{ id, ip, agent, is_current: id === sessionId },
        created_at: createdAt.toISOString(),
        seen_at: seenAt.toISOString(),
        expires_at: expiresAt.toISOString(),
      }))
    },
  )

  app.delete(
    '/api/sessions',
    {
      config: required,
      schema: { tags, operationId: 'endOtherSessions', summary: 'End all sessions of the user but this one' },
    },
    async (request, reply) => {
      const { userId, sessionId } = visitOf(request)
      await endSessions(db, userId, { except: sessionId })
      return reply.code(204).send()
    },
  )

  app.delete(
    '/api/sessions/:id',
    {
      config: required,
      schema: {
        tags,
        operationId: 'endSession',
        summary: 'End a session of the user',
        params: Type.Object({ id: Type.String() }),
      },
    },
    async (request, reply) => {
      const { userId } = visitOf(request)
      if (!(await endSession(db, userId, pathId(request.params.id)))) throw notFound()
      return reply.code(204).send()
    },
  )

  app.post(
    '/api/setup/check',
    {
      config: optional,
      schema: {
        tags,
        operationId: 'checkLink',
        summary: 'What a link is for: to make the first user, to enter an account, or to set a new password',
        body: Type.Object({ token: Token }, { additionalProperties: false }),
        response: {
          200: Type.Object({
            purpose: Type.Enum(['setup', 'invitation', 'reset']),
            email: Nullable(Type.String({ description: 'Of whom it is; null where they say so themselves.' })),
            is_user: Type.Boolean({
              description: 'An invitation of someone who has a password already, which is then asked for.',
            }),
            account: Nullable(Type.String({ description: 'The name of the account that it lets into.' })),
            role: Nullable(Type.Enum([...ROLES])),
          }),
        },
      },
    },
    async (request) => {
      const link = await lookAtLink(db, request.body.token)
      const { purpose } = link
      return {
        purpose,
        email: purpose === 'setup' ? null : link.email,
        is_user: purpose === 'invitation' && link.isUser,
        account: purpose === 'invitation' ? link.account : null,
        role: purpose === 'invitation' ? link.role : null,
      }
    },
  )

  app.post(
    '/api/setup',
    {
      config: optional,
      schema: {
        tags,
        operationId: 'useLink',
        summary: 'Use a link up, and be signed in',
        description:
          'A link to set up takes `email`, `name` and `password`; an invitation `name` and `password`, or only the password ' +
          'that its user has; a link to reset the new `password`.',
        body: Type.Object(
          {
            token: Token,
            email: Type.Optional(Email),
            name: Type.Optional(Type.String({ maxLength: 255 })),
            password: Password,
          },
          { additionalProperties: false },
        ),
        response: { 201: SessionOnWire },
      },
    },
    async (request, reply) => {
      const { token, ...given } = request.body
      return welcome(reply, await useLink(tools, token, given, placeOf(request)))
    },
  )
}

/** Of a route that requires one. */
function visitOf(request: FastifyRequest): Visit {
  if (!request.visit) throw new AppError('session_ended', 'Your session has ended: sign in again')
  return request.visit
}
