import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Database } from '../../db/database.ts'
import type { Attempts } from '../../http/attempts.ts'
import { addressOf, senderOf } from '../../http/sender.ts'
import type { Texts } from '../../languages/file.ts'
import { languageFor, textsIn } from '../../languages/languages.ts'
import { AppError } from '../../lib/app-error.ts'
import { turnEnds } from '../../lib/turn.ts'
import type { Account } from '../accounts/accounts.ts'
import type { MailRoom } from '../mail/mail-room.ts'
import type { Asking } from '../subscriptions/confirmations.ts'
import type { Evidence } from '../subscriptions/evidence.ts'
import { html } from './html.ts'
import { type Page, pageText, sendPage, sendText } from './page.ts'

/** What pages are made with. */
export interface PageParts {
  db: Database
  room: MailRoom
  asking: Asking
  /** Bounds how often a network may try links. */
  attempts: Attempts
  isPrepared: () => boolean
  /** At most 5 s old. */
  accountOf: (accountId: number) => Promise<Account>
}

/** Whose page it is, and in which words. */
export interface Scene {
  account: Account & { color: string }
  language: string
  texts: Texts
  /** Pages in which nothing is about whoever sees them, as they were written for the first, by what they ask. */
  written: Map<string, string>
}

/** An account's, as long as it is what was read last. */
const scenes = new WeakMap<Account, Map<string, Scene>>()

/** Enough for what our own forms and the one click of a mail program send. */
const BODY_MAX_BYTES = 65_536
const LONGEST_AGENT = 300

/** Makes a part of the service one of pages: bodies are texts, and whoever asks too often sees a page that says so. */
export function servePages(app: FastifyInstance, { attempts, isPrepared }: PageParts): void {
  // Mail programs post the one click as a form of either kind: what it says is the same text in both.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'string', bodyLimit: BODY_MAX_BYTES }, (_request, text, done) =>
    done(null, text),
  )
  app.addHook('onRequest', (_request, _reply, done) => {
    done(isPrepared() ? undefined : new AppError('unavailable', 'Rollcall is starting: try again shortly'))
  })
  app.setErrorHandler((error, request, reply) => {
    if (!(error instanceof AppError) || error.code !== 'rate_limited') throw error
    const language = languageFor(request.headers['accept-language'], 'en')
    const { busyTitle: title, busy } = textsIn(language)
    return sendPage(reply.header('retry-after', '60'), 429, { language, title, body: html`<p>${busy}</p>` })
  })
  app.addHook('preHandler', (request, _reply, done) => {
    attempts.take(senderOf(request))
    done()
  })
}

/** Whose page a request is to see, in the language of its reader. */
export async function sceneOf({ accountOf }: PageParts, request: FastifyRequest, accountId: number): Promise<Scene> {
  const account = await accountOf(accountId)
  const language = languageFor(request.headers['accept-language'], account.settings.language)
  const known = scenes.get(account) ?? new Map<string, Scene>()
  scenes.set(account, known)
  const scene = known.get(language) ?? {
    account: { ...account, color: account.settings.color },
    language,
    texts: textsIn(language),
    written: new Map(),
  }
  known.set(language, scene)
  return scene
}

/** Answers with a page of a scene. */
export function show(
  reply: FastifyReply,
  { account, language }: Scene,
  page: Omit<Page, 'account' | 'language'>,
  status = 200,
): Promise<FastifyReply> {
  const whole = { account, language, ...page }
  return answer(reply, status, whole, pageText(whole))
}

/** The same with a text that is there already. */
export async function answer(
  reply: FastifyReply,
  status: number,
  terms: Parameters<typeof sendText>[2],
  text: string,
): Promise<FastifyReply> {
  await turnEnds()
  return sendText(reply, status, terms, text)
}

/** More such pages of an account are not kept: each has some thousand letters. */
const MOST_WRITTEN = 100

/** Answers with a page in which nothing is about whoever sees it. `name` is its name, with all that it depends on. */
export function showSame(
  reply: FastifyReply,
  { account, language, written }: Scene,
  name: string,
  write: () => Omit<Page, 'account' | 'language'>,
): Promise<FastifyReply> {
  const text = written.get(name) ?? pageText({ account, language, ...write() })
  if (written.size < MOST_WRITTEN) written.set(name, text)
  return answer(reply, 200, { account, language }, text)
}

/** The same for every link that does not work, whatever is wrong with it. */
export function refuse(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const language = languageFor(request.headers['accept-language'], 'en')
  const { wrongTitle: title, wrong } = textsIn(language)
  return sendPage(reply, 404, { language, title, body: html`<p>${wrong}</p>` })
}

/** What we have seen of a person's act. */
export function observed(request: FastifyRequest, source: string, shown: Record<string, unknown>): Evidence {
  const agent = request.headers['user-agent']?.slice(0, LONGEST_AGENT).toWellFormed()
  const data = { ...shown, ...(agent === undefined ? {} : { user_agent: agent }) }
  return { grade: 'observed', source, actor: 'person', ip: addressOf(request), data }
}

/** The fields of a form that was posted. */
export function postedFields({ body }: FastifyRequest): URLSearchParams {
  return new URLSearchParams(typeof body === 'string' ? body : '')
}
