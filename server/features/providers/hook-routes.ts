import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Database } from '../../db/database.ts'
import type { Attempts } from '../../http/attempts.ts'
import { senderOf } from '../../http/sender.ts'
import { AppError, notFound } from '../../lib/app-error.ts'
import type { Keyring } from '../../lib/secret.ts'
import type { AccountSettings } from '../accounts/settings.ts'
import { type Opened, Unreadable, Unverified } from './adapters/adapter.ts'
import { ADAPTERS, countUnverified, holdTopic, hookAt, type OpenHook } from './hooks.ts'
import type { Reach } from './reach.ts'
import { Taken } from './schemas.ts'
import { Certificates } from './sns.ts'
import { takeEvents } from './take.ts'

interface Options {
  db: Database
  keyring: Keyring
  settingsOf: (accountId: number) => Promise<AccountSettings>
  /** Bounds how often a network may try addresses that do not exist. */
  attempts: Attempts
  isPrepared: () => boolean
  /** Asks Amazon SNS for its certificates, and confirms subscriptions to it. */
  reach: Reach
}

/** What mail providers post to. The address names the hook; a body is read only when there is one. */
export const hookRoutes: FastifyPluginAsyncTypebox<Options> = async (app, options) => {
  const { db, keyring, settingsOf, attempts, isPrepared, reach } = options
  const certificates = new Certificates(reach)
  const hooks = new WeakMap<FastifyRequest, OpenHook>()

  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.addHook('onRequest', async (request) => {
    if (!isPrepared()) throw new AppError('unavailable', 'Rollcall is starting: try again shortly')
    const takeBack = attempts.take(senderOf(request))
    const { provider, secret } = request.params as { provider: string; secret: string }
    const hook = await hookAt(db, keyring, provider, secret)
    if (!hook) throw notFound()
    takeBack()
    hooks.set(request, hook)
  })

  /** Throws what the sender is to be told. */
  const open = async (request: FastifyRequest, hook: OpenHook): Promise<Opened> => {
    const bytes = request.body instanceof Uint8Array ? request.body : new Uint8Array()
    const letter = { bytes, headers: request.headers, signingSecret: hook.signingSecret, nowMs: Date.now() }
    try {
      const opened = await ADAPTERS[hook.provider].open(letter, certificates)
      if (opened.topicArn !== undefined && !(await holdTopic(db, hook, opened.topicArn)))
        throw new Unverified('Another topic of Amazon SNS posts here: make a hook for each')
      return opened
    } catch (error) {
      if (error instanceof Unreadable) throw new AppError('bad_request', error.message)
      if (!(error instanceof Unverified)) throw error
      await countUnverified(db, hook)
      throw new AppError('account_forbidden', error.message)
    }
  }

  app.post(
    '/hooks/:provider/:secret',
    {
      config: { public: true },
      schema: {
        hide: true,
        params: Type.Object({ provider: Type.String(), secret: Type.String() }),
        response: { 200: Taken },
      },
    },
    async (request) => {
      const hook = hooks.get(request)!
      const opened = await open(request, hook)
      if (opened.confirmUrl) await reach(opened.confirmUrl)
      const { soft_bounce_limit: softBounceLimit } = await settingsOf(hook.accountId)
      const counts = await takeEvents({ db, keyring, hook, softBounceLimit }, opened)
      return { ...counts, problems: opened.problems }
    },
  )
}
