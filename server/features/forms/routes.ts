import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import sql from 'sql-template-tag'
import { Type } from 'typebox'
import type { Database } from '../../db/database.ts'
import type { Attempts } from '../../http/attempts.ts'
import { addressOf, senderOf } from '../../http/sender.ts'
import { AppError } from '../../lib/app-error.ts'
import type { Keyring } from '../../lib/secret.ts'
import { findAccount } from '../accounts/accounts.ts'
import type { Language } from '../accounts/settings.ts'
import { confirm, lookAtToken } from '../subscriptions/confirm.ts'
import type { Evidence } from '../subscriptions/evidence.ts'
import { leaveByLink } from '../subscriptions/leave-by-link.ts'
import { type Leaving, readUnsubscribeLink } from '../subscriptions/links.ts'
import { type Page, sendPage } from './page.ts'
import { languageFor, TEXTS, type Texts } from './texts/texts.ts'

interface Options {
  db: Database
  keyring: Keyring
  /** Bounds how often a network may try links. */
  attempts: Attempts
  isPrepared: () => boolean
}

/** Whose page it is, and in which words. */
interface Scene {
  account: { name: string; color: string }
  language: Language
  texts: Texts
}

/** Enough for what our own forms and the one click of a mail program send. */
const BODY_MAX_BYTES = 16_384
const LONGEST_AGENT = 300

/** Pages for people, without scripts. What is asked for by GET changes nothing, so that who scans links confirms nothing. */
export const pageRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { db, keyring, attempts, isPrepared }) => {
  // Mail programs post the one click as a form of either kind: what it says is the same text in both.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'string', bodyLimit: BODY_MAX_BYTES }, (_request, text, done) =>
    done(null, text),
  )
  app.addHook('onRequest', async () => {
    if (!isPrepared()) throw new AppError('unavailable', 'Rollcall is starting: try again shortly')
  })
  app.setErrorHandler((error, request, reply) => {
    if (!(error instanceof AppError) || error.code !== 'rate_limited') throw error
    const language = languageFor(request.headers['accept-language'], 'en')
    const { busyTitle: title, busy: words } = TEXTS[language]
    return sendPage(reply.header('retry-after', '60'), 429, { language, title, words })
  })
  app.addHook('preHandler', async (request) => {
    attempts.take(senderOf(request))
  })

  const sceneOf = async (request: FastifyRequest, accountId: number): Promise<Scene> => {
    const { name, settings } = await findAccount(db, accountId)
    const language = languageFor(request.headers['accept-language'], settings.language)
    return { account: { name, color: settings.color }, language, texts: TEXTS[language] }
  }
  const show = (reply: FastifyReply, { account, language }: Scene, page: Pick<Page, 'title' | 'words' | 'buttons'>) =>
    sendPage(reply, 200, { account, language, ...page })
  /** The same for every link that does not work, whatever is wrong with it. */
  const refuse = (request: FastifyRequest, reply: FastifyReply) => {
    const language = languageFor(request.headers['accept-language'], 'en')
    const { wrongTitle: title, wrong: words } = TEXTS[language]
    return sendPage(reply, 404, { language, title, words })
  }

  const options = {
    config: { public: true as const },
    schema: { hide: true, params: Type.Object({ link: Type.String() }) },
  }

  app.get('/confirm/:link', options, async (request, reply) => {
    const found = await lookAtToken(db, request.params.link)
    if (!found) return refuse(request, reply)
    const scene = await sceneOf(request, found.accountId)
    const { account, texts } = scene
    if (found.is === 'used')
      return show(reply, scene, { title: texts.confirmedTitle, words: texts.confirmed(account.name) })
    const buttons = [{ words: texts.confirmButton, value: 'confirm', isMain: true }]
    return show(reply, scene, { title: texts.confirmTitle, words: texts.confirmAsk(account.name), buttons })
  })

  app.post('/confirm/:link', options, async (request, reply) => {
    const found = await lookAtToken(db, request.params.link)
    if (!found) return refuse(request, reply)
    const scene = await sceneOf(request, found.accountId)
    const { account, language, texts } = scene
    const evidence = observed(request, 'confirm_page', { wording: texts.confirmAsk(account.name), language })
    const confirmed = await db.transaction((trx) => confirm(trx, keyring, request.params.link, evidence))
    if (!confirmed) return refuse(request, reply)
    return show(reply, scene, { title: texts.confirmedTitle, words: texts.confirmed(account.name) })
  })

  /** The list that a link is bound to, where that is still there. */
  const listNamed = async ({ accountId, listId }: Leaving): Promise<string | undefined> => {
    if (listId === null) return undefined
    const [list] = await db.query<{ name: string }>(
      sql`select name from lists where account_id = ${accountId} and id = ${listId}`,
    )
    return list?.name
  }

  app.get('/unsubscribe/:link', options, async (request, reply) => {
    const leaving = readUnsubscribeLink(keyring, request.params.link)
    if (!leaving) return refuse(request, reply)
    const [scene, list] = await Promise.all([sceneOf(request, leaving.accountId), listNamed(leaving)])
    const { account, texts } = scene
    const all = { words: texts.unsubscribeAllButton, value: 'all', isMain: false }
    const buttons = [
      { words: texts.unsubscribeButton, value: 'this', isMain: true },
      ...(list === undefined ? [] : [all]),
    ]
    const words = list === undefined ? texts.unsubscribeAsk(account.name) : texts.unsubscribeListAsk(account.name, list)
    return show(reply, scene, { title: texts.unsubscribeTitle, words, buttons })
  })

  app.post('/unsubscribe/:link', options, async (request, reply) => {
    const named = readUnsubscribeLink(keyring, request.params.link)
    if (!named) return refuse(request, reply)
    const fields = new URLSearchParams(typeof request.body === 'string' ? request.body : '')
    const isPage = fields.has('page')
    const leaving = fields.get('what') === 'all' ? { ...named, listId: null } : named
    const [scene, list] = await Promise.all([sceneOf(request, leaving.accountId), listNamed(leaving)])
    const { account, language, texts } = scene
    const asked = list === undefined ? texts.unsubscribeAsk(account.name) : texts.unsubscribeListAsk(account.name, list)
    const evidence = isPage
      ? observed(request, 'unsubscribe_page', { wording: asked, language })
      : observed(request, 'one_click', {})
    await db.transaction((trx) => leaveByLink(trx, keyring, leaving, evidence))
    if (!isPage)
      return reply.type('text/plain; charset=utf-8').header('cache-control', 'no-store').send('Unsubscribed\n')
    const words = list === undefined ? texts.unsubscribed(account.name) : texts.unsubscribedList(account.name, list)
    return show(reply, scene, { title: texts.unsubscribedTitle, words })
  })
}

/** What we have seen of a person's act. */
function observed(request: FastifyRequest, source: string, shown: Record<string, string>): Evidence {
  const agent = request.headers['user-agent']?.slice(0, LONGEST_AGENT).toWellFormed()
  const data = { ...shown, ...(agent === undefined ? {} : { user_agent: agent }) }
  return { grade: 'observed', source, actor: 'person', ip: addressOf(request), data }
}
