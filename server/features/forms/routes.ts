import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import sql from 'sql-template-tag'
import { Type } from 'typebox'
import { confirm, lookAtToken } from '../subscriptions/confirm.ts'
import { leaveByLink } from '../subscriptions/leave-by-link.ts'
import { readUnsubscribeLink } from '../subscriptions/links.ts'
import { type FormParts, formRoutes } from './form-routes.ts'
import { html } from './html.ts'
import { asking } from './page.ts'
import { type PreferenceParts, preferenceRoutes } from './preferences-routes.ts'
import { observed, postedFields, refuse, type Scene, sceneOf, servePages, show, showSame } from './scene.ts'

/** Pages for people, without scripts. What is asked for by GET changes nothing, so that who scans links confirms nothing. */
export const pageRoutes: FastifyPluginAsyncTypebox<FormParts & PreferenceParts> = async (app, parts) => {
  const { db, room } = parts
  servePages(app, parts)
  formRoutes(app, parts)
  preferenceRoutes(app, parts)

  const options = {
    config: { public: true as const },
    schema: { hide: true, params: Type.Object({ link: Type.String() }) },
  }

  /** What lists are called before people, as far as they are there. */
  const namesOf = async (accountId: number, listIds: readonly number[]): Promise<string[]> => {
    if (listIds.length === 0) return []
    const rows = await db.query<{ name: string }>(sql`
      select coalesce(public_name, name) as name from lists
      where account_id = ${accountId} and id = any(${[...listIds]}::bigint[]) order by 1`)
    return rows.map(({ name }) => name)
  }
  const confirmAsk = ({ texts, account }: Scene, lists: readonly string[]) =>
    lists.length === 0 ? texts.confirmAsk(account.name) : texts.confirmListsAsk(account.name, lists)

  app.get('/confirm/:link', options, async (request, reply) => {
    const found = await lookAtToken(db, request.params.link)
    if (!found) return refuse(request, reply)
    const [scene, lists] = await Promise.all([
      sceneOf(parts, request, found.accountId),
      namesOf(found.accountId, found.listIds),
    ])
    const { account, texts } = scene
    if (found.is === 'used')
      return show(reply, scene, { title: texts.confirmedTitle, body: html`<p>${texts.confirmed(account.name)}</p>` })
    const buttons = [{ words: texts.confirmButton, value: 'confirm', isMain: true }]
    return show(reply, scene, { title: texts.confirmTitle, body: asking(confirmAsk(scene, lists), buttons) })
  })

  app.post('/confirm/:link', options, async (request, reply) => {
    const found = await lookAtToken(db, request.params.link)
    if (!found) return refuse(request, reply)
    const [scene, lists] = await Promise.all([
      sceneOf(parts, request, found.accountId),
      namesOf(found.accountId, found.listIds),
    ])
    const { account, language, texts } = scene
    const evidence = observed(request, 'confirm_page', { wording: confirmAsk(scene, lists), language })
    const confirmed = await db.transaction((trx) => confirm(trx, room, request.params.link, evidence))
    if (!confirmed) return refuse(request, reply)
    return show(reply, scene, { title: texts.confirmedTitle, body: html`<p>${texts.confirmed(account.name)}</p>` })
  })

  app.get('/unsubscribe/:link', options, async (request, reply) => {
    const leaving = readUnsubscribeLink(room.keyring, request.params.link)
    if (!leaving) return refuse(request, reply)
    const { accountId, listId } = leaving
    const [scene, [list]] = await Promise.all([
      sceneOf(parts, request, accountId),
      namesOf(accountId, listId === null ? [] : [listId]),
    ])
    return showSame(reply, scene, `unsubscribe ${list ?? ''}`, () => unsubscribePage(scene, list))
  })

  const unsubscribePage = ({ account, texts }: Scene, list: string | undefined) => {
    const all = { words: texts.unsubscribeAllButton, value: 'all', isMain: false }
    const buttons = [
      { words: texts.unsubscribeButton, value: 'this', isMain: true },
      ...(list === undefined ? [] : [all]),
    ]
    const words = list === undefined ? texts.unsubscribeAsk(account.name) : texts.unsubscribeListAsk(account.name, list)
    return { title: texts.unsubscribeTitle, body: asking(words, buttons) }
  }

  app.post('/unsubscribe/:link', options, async (request, reply) => {
    const named = readUnsubscribeLink(room.keyring, request.params.link)
    if (!named) return refuse(request, reply)
    const fields = postedFields(request)
    const isPage = fields.has('page')
    const leaving = fields.get('what') === 'all' ? { ...named, listId: null } : named
    const { accountId, listId } = leaving
    const [scene, [list]] = await Promise.all([
      sceneOf(parts, request, accountId),
      namesOf(accountId, listId === null ? [] : [listId]),
    ])
    const { account, language, texts } = scene
    const asked = list === undefined ? texts.unsubscribeAsk(account.name) : texts.unsubscribeListAsk(account.name, list)
    const evidence = isPage
      ? observed(request, 'unsubscribe_page', { wording: asked, language })
      : observed(request, 'one_click', {})
    await db.transaction((trx) => leaveByLink(trx, room.keyring, leaving, evidence))
    if (!isPage)
      return reply.type('text/plain; charset=utf-8').header('cache-control', 'no-store').send('Unsubscribed\n')
    const words = list === undefined ? texts.unsubscribed(account.name) : texts.unsubscribedList(account.name, list)
    return show(reply, scene, { title: texts.unsubscribedTitle, body: html`<p>${words}</p>` })
  })
}
