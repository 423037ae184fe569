import type { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Trx } from '../../db/database.ts'
import type { Caller } from '../../http/caller.ts'
import { addressOf } from '../../http/sender.ts'
import { AppError } from '../../lib/app-error.ts'
import type { Desk } from '../contacts/desk.ts'
import type { FieldSet } from '../fields/field-set.ts'
import { REQUEST_DAYS } from '../mail/built-in.ts'
import { askToConfirm } from '../subscriptions/confirmations.ts'
import { leave } from '../subscriptions/leave.ts'
import { type Preferring, readPreferencesLink } from '../subscriptions/links.ts'
import { lookAtRequest } from '../subscriptions/requests.ts'
import { resubscribe } from '../subscriptions/resubscribe.ts'
import { type Held, holdStandings } from '../subscriptions/standing.ts'
import type { Filled } from './form-page.ts'
import { html } from './html.ts'
import { asking as askingPage } from './page.ts'
import { type Preferences, readPreferences, readSaving, savePreferences } from './preferences.ts'
import { type Notice, preferencesBody } from './preferences-page.ts'
import { observed, type PageParts, postedFields, refuse, type Scene, sceneOf, show } from './scene.ts'

/** What somebody may ask for of all that is held of them, once they have followed the link that was mailed. */
export interface OwnData {
  /** Everything, as one JSON document; undefined: they are gone. */
  exportOf: (accountId: number, contactId: string) => Promise<Readable | undefined>
  /** Unless `isAsked` says, in the same transaction, that it is not asked for any more. */
  erase: (caller: Caller, contactId: string, isAsked: (trx: Trx) => Promise<boolean>) => Promise<void>
}

export interface PreferenceParts extends PageParts {
  fieldsOf: (accountId: number) => Promise<FieldSet>
  deskOf: (caller: Caller) => Promise<Desk>
  ownData: OwnData
}

/** The page on which people say what they want, and the two to which a mailed link leads. */
export function preferenceRoutes(app: FastifyInstance, parts: PreferenceParts): void {
  const { db, room, asking, fieldsOf, deskOf, ownData } = parts
  const options = {
    config: { public: true as const },
    schema: { hide: true, params: Type.Object({ link: Type.String() }) },
  }
  type Linked = FastifyRequest<{ Params: { link: string } }>
  const callerOf = (request: FastifyRequest, accountId: number): Caller => ({
    accountId,
    actor: 'person',
    ip: addressOf(request),
  })

  const read = async (request: Linked) => {
    const preferring = readPreferencesLink(room.keyring, request.params.link)
    if (!preferring) return undefined
    const { accountId } = preferring
    const now = await readPreferences(db, preferring, await fieldsOf(accountId))
    return now && { preferring, now, scene: await sceneOf(parts, request, accountId) }
  }
  const page = (
    reply: FastifyReply,
    scene: Scene,
    now: Preferences,
    more: { notice?: Notice; filled?: Filled } = {},
  ) => {
    const { texts, account } = scene
    const body = preferencesBody(now, texts, account.name, more)
    return show(reply, scene, { title: texts.preferencesTitle, body }, more.filled ? 422 : 200)
  }

  app.get<{ Params: { link: string } }>('/preferences/:link', options, async (request, reply) => {
    const found = await read(request)
    return found ? page(reply, found.scene, found.now) : refuse(request, reply)
  })

  /** Does something with the person, held; they may have gone meanwhile. */
  const withPerson = (now: Preferences, accountId: number, act: (trx: Trx, person: Held) => unknown) =>
    db.transaction(async (trx) => {
      const [person] = await holdStandings(trx, accountId, [now.contactId])
      if (person?.email === now.email) await act(trx, person)
    })
  /** Mails a link to the person; says so, or that no mail can be sent to them. */
  const mailed = async (work: Promise<unknown>, { texts }: Scene): Promise<Notice> => {
    try {
      await work
      return { words: texts.mailed }
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      return { words: texts.noMail, isBad: true }
    }
  }

  /** What pressing a button does; answers what to say of it. */
  const act = async (
    request: Linked,
    { preferring: { accountId }, now, scene }: { preferring: Preferring; now: Preferences; scene: Scene },
  ): Promise<{ notice?: Notice; filled?: Filled }> => {
    const { texts, account, language } = scene
    const values = postedFields(request)
    const what = values.get('what')
    const evidenceOf = (wording: string) => observed(request, 'preferences_page', { wording, language })
    switch (what) {
      case 'save': {
        const saving = readSaving(values, now, texts)
        if ('problems' in saving)
          return { notice: { words: texts.mend, isBad: true }, filled: { values, problems: saving.problems } }
        const desk = await deskOf(callerOf(request, accountId))
        await db.transaction((trx) => savePreferences(trx, desk, now, saving, evidenceOf(texts.listsLegend)))
        return { notice: { words: texts.saved } }
      }
      case 'unsubscribe':
        await withPerson(now, accountId, (trx, person) =>
          leave(trx, accountId, [person], evidenceOf(texts.unsubscribeAllButton)),
        )
        return { notice: { words: texts.unsubscribed(account.name) } }
      case 'resubscribe': {
        const work = withPerson(now, accountId, (trx, person) => resubscribe(trx, asking, accountId, person, true))
        return { notice: await mailed(work, scene) }
      }
      case 'export':
      case 'erase': {
        const terms = { room, days: REQUEST_DAYS }
        const work = withPerson(now, accountId, (trx, person) =>
          askToConfirm(trx, terms, accountId, person, true, {}, what),
        )
        return { notice: await mailed(work, scene) }
      }
      default:
        return {}
    }
  }

  app.post<{ Params: { link: string } }>('/preferences/:link', options, async (request, reply) => {
    const found = await read(request)
    if (!found) return refuse(request, reply)
    const done = await act(request, found)
    const now = await readPreferences(db, found.preferring, await fieldsOf(found.preferring.accountId))
    return now ? page(reply, found.scene, now, done) : refuse(request, reply)
  })

  app.get<{ Params: { link: string } }>('/request/:link', options, async (request, reply) => {
    const asked = await lookAtRequest(db, request.params.link)
    if (!asked) return refuse(request, reply)
    const scene = await sceneOf(parts, request, asked.accountId)
    const { texts, account } = scene
    if (asked.what === 'export') {
      const buttons = [{ words: texts.downloadButton, value: 'export', isMain: true }]
      return show(reply, scene, {
        title: texts.downloadTitle,
        body: askingPage(texts.downloadAsk(account.name), buttons),
      })
    }
    const buttons = [{ words: texts.eraseNow, value: 'erase', isMain: true }]
    return show(reply, scene, { title: texts.eraseTitle, body: askingPage(texts.eraseAsk(account.name), buttons) })
  })

  app.post<{ Params: { link: string } }>('/request/:link', options, async (request, reply) => {
    const asked = await lookAtRequest(db, request.params.link)
    if (!asked) return refuse(request, reply)
    const { accountId, contactId, what } = asked
    if (what === 'export') {
      const document = await ownData.exportOf(accountId, contactId)
      if (!document) return refuse(request, reply)
      return reply
        .type('application/json; charset=utf-8')
        .headers({ 'content-disposition': 'attachment; filename="my-data.json"', 'cache-control': 'no-store' })
        .send(document)
    }
    const scene = await sceneOf(parts, request, accountId)
    // Its row goes with the person: of two that press at once, the second finds nothing to do.
    const caller = callerOf(request, accountId)
    const isAsked = async (trx: Trx) => (await lookAtRequest(trx, request.params.link, true)) !== undefined
    await ownData.erase(caller, contactId, isAsked)
    const { texts, account } = scene
    return show(reply, scene, { title: texts.erasedTitle, body: html`<p>${texts.erased(account.name)}</p>` })
  })
}
