import { Readable } from 'node:stream'
import cors from '@fastify/cors'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController, type RouteOptions } from 'fastify'
import type { Config } from './config.ts'
import type { Database, Trx } from './db/database.ts'
import { Recent } from './db/recent.ts'
import { Access } from './features/accounts/access.ts'
import { accountRoutes } from './features/accounts/routes.ts'
import { sessionRoutes } from './features/accounts/session-routes.ts'
import { tokenRoutes } from './features/accounts/token-routes.ts'
import { userRoutes } from './features/accounts/user-routes.ts'
import { FeedCursors } from './features/activity/feed-cursor.ts'
import { feedRoutes } from './features/activity/feed-routes.ts'
import { FeedWatch } from './features/activity/feed-watch.ts'
import { feedFigures } from './features/activity/figures.ts'
import { activityRoutes } from './features/activity/routes.ts'
import { bulkRoutes } from './features/contacts/bulk-routes.ts'
import { readContact } from './features/contacts/contact.ts'
import type { Desk } from './features/contacts/desk.ts'
import { ContactReader } from './features/contacts/find.ts'
import { permissionRoutes } from './features/contacts/permission-routes.ts'
import { revertRoutes } from './features/contacts/revert-routes.ts'
import { contactRoutes } from './features/contacts/routes.ts'
import { exportRoutes } from './features/exports/routes.ts'
import { FieldCache } from './features/fields/field-set.ts'
import { nameFieldsFor } from './features/fields/naming.ts'
import { fieldRoutes } from './features/fields/routes.ts'
import { formApiRoutes } from './features/forms/api-routes.ts'
import {
  findPublicForm,
  formsUsingField,
  formsUsingLists,
  formsWithFields,
  formsWithList,
  formsWithTemplate,
} from './features/forms/forms.ts'
import type { OwnData } from './features/forms/preferences-routes.ts'
import { pageRoutes } from './features/forms/routes.ts'
import { recipeRoutes } from './features/imports/recipe-routes.ts'
import { recipesWithFields, recipesWithList } from './features/imports/recipes.ts'
import { importRoutes } from './features/imports/routes.ts'
import { memberRoutes } from './features/lists/member-routes.ts'
import { listRoutes } from './features/lists/routes.ts'
import { listsUsingField, listsWithFields, smartListsUsing } from './features/lists/smart.ts'
import { smartListsWithList } from './features/lists/usage.ts'
import { linkBase, mailRoomOf } from './features/mail/mail-room.ts'
import { mailRoutes } from './features/mail/routes.ts'
import { accountWithTemplate } from './features/mail/usage.ts'
import { erase } from './features/privacy/erase.ts'
import { exportOf, jsonOf } from './features/privacy/person-export.ts'
import { privacyRoutes } from './features/privacy/routes.ts'
import { undertake } from './features/privacy/undertake.ts'
import { hookRoutes } from './features/providers/hook-routes.ts'
import { type Reach, reachOf } from './features/providers/reach.ts'
import { providerRoutes } from './features/providers/routes.ts'
import { statsRoutes } from './features/stats/routes.ts'
import { retryMail } from './features/subscriptions/retry-mail.ts'
import { sendRoutes } from './features/subscriptions/send-routes.ts'
import { suppressionRoutes } from './features/subscriptions/suppression-routes.ts'
import { contactVariables, templatesWithFields } from './features/subscriptions/variables.ts'
import { viewRoutes } from './features/views/routes.ts'
import { viewsWithFields, viewsWithList } from './features/views/views.ts'
import { webhookFigures } from './features/webhooks/figures.ts'
import {
  webhooksUsingField,
  webhooksUsingLists,
  webhooksWithFields,
  webhooksWithList,
} from './features/webhooks/filter.ts'
import { webhookRoutes } from './features/webhooks/routes.ts'
import { resolverFor } from './features/webhooks/target.ts'
import type { FileStore, FilesAt } from './files/store.ts'
import { canonicalUrl } from './http/aliases.ts'
import { Attempts } from './http/attempts.ts'
import { installBodies } from './http/body.ts'
import { Browser } from './http/browser.ts'
import { type Caller, installAuthentication, installPermission } from './http/caller.ts'
import { changesIn } from './http/change.ts'
import { answerFailure, installErrors } from './http/errors.ts'
import { installHealth } from './http/health.ts'
import { installRateLimit, WINDOW_MS } from './http/limits.ts'
import { installRequestLog } from './http/logging.ts'
import { installMetrics } from './http/metrics.ts'
import { installOpenApi } from './http/openapi.ts'
import { installPages } from './http/pages.ts'
import { Cursors } from './http/paging.ts'
import { installSecurityHeaders } from './http/security-headers.ts'
import { installValidation } from './http/validation.ts'
import { jobFigures, type Queue } from './jobs/queue.ts'
import { AppError } from './lib/app-error.ts'
import { deriveKey, type Keyring } from './lib/secret.ts'

export interface Parts {
  db: Database
  queue: Queue
  config: Config
  /** Where uploads and exports are kept. */
  files: FileStore
  /** Where those are, for threads to open them as well. */
  filesAt: FilesAt
  keyring: Keyring
  logger: FastifyBaseLogger
  /** Whether it can serve now: the schema is there, the database answers. */
  isReady: () => Promise<boolean>
  /** Whether the schema is there: until then every request but those for health is told to come back. */
  isPrepared: () => boolean
  /** Is told of every route that is registered. */
  onRoute?: (route: RouteOptions) => void
  /** How Amazon SNS is asked for what its messages name; by default at its own address. */
  reach?: Reach
}

/** Long enough for an address of 320 characters in a path, each of them percent-encoded. */
const LONGEST_PARAM = 1000

const SIGN_UP_WINDOW_MS = 600_000

/** The whole HTTP API, ready to listen; opens nothing itself. */
export async function buildApp({
  db,
  queue,
  config,
  files,
  filesAt,
  keyring,
  logger,
  isReady,
  isPrepared,
  onRoute,
  reach = reachOf(),
}: Parts): Promise<FastifyInstance> {
  const app = Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }), // http/logging.ts writes one line without addresses
    frameworkErrors: answerFailure,
    rewriteUrl: canonicalUrl,
    routerOptions: { maxParamLength: LONGEST_PARAM, ignoreTrailingSlash: true },
    bodyLimit: config.BODY_MAX_BYTES,
    trustProxy: config.TRUSTED_PROXIES.length > 0 ? [...config.TRUSTED_PROXIES] : false,
    genReqId: () => crypto.randomUUID(),
  }).withTypeProvider<TypeBoxTypeProvider>()

  const access = new Access(db, new Attempts(config.RATE_LIMIT, WINDOW_MS))
  const fieldCache = new FieldCache(db)
  const cursors = new Cursors(deriveKey(keyring, 'cursor'))
  const feedCursors = new FeedCursors(keyring)
  const feedWatch = new FeedWatch(db, (error) => logger.error({ err: error }, 'watching the feed failed'))
  const nameFields = nameFieldsFor(fieldCache)
  const change = changesIn(db, keyring)
  const settingsOf = (accountId: number) => access.settingsOf(accountId)
  const room = mailRoomOf(config, queue, keyring)
  const reader = new ContactReader({ db, fieldCache, settingsOf, cursors, room })
  const asking = { room, days: config.CONFIRMATION_DAYS }
  const deskOf = async (caller: Caller): Promise<Desk> => ({
    caller,
    settings: await settingsOf(caller.accountId),
    fieldCache,
    keyring,
    asking,
  })

  if (onRoute) app.addHook('onRoute', onRoute)
  installErrors(app)
  installValidation(app)
  installRequestLog(app)
  installSecurityHeaders(app, config.PUBLIC_URL)
  if (config.CORS_ORIGINS.length > 0) {
    await app.register(cors, {
      origin: [...config.CORS_ORIGINS],
      methods: ['GET', 'HEAD', 'POST', 'PATCH', 'PUT', 'DELETE'],
      exposedHeaders: [
        'etag',
        'x-request-id',
        'retry-after',
        'x-ratelimit-limit',
        'x-ratelimit-remaining',
        'idempotent-replayed',
      ],
    })
  }
  const isStarting = () => new AppError('unavailable', 'Rollcall is starting: try again shortly')
  app.addHook('onRequest', (request, _reply, done) => {
    done(isPrepared() || request.routeOptions.config.public ? undefined : isStarting())
  })
  await installOpenApi(app, config.PUBLIC_URL) // before the routes are guarded, as its own are for everybody
  const browser = new Browser(config.PUBLIC_URL)
  installAuthentication(app, {
    browser,
    findGrant: (token, sender) => access.grantOf(token, sender),
    findVisit: (token, accountId, sender) => access.visitOf(token, accountId, sender),
  })
  await installRateLimit(app, config.RATE_LIMIT)
  installPermission(app, browser)
  installBodies(app)
  installMetrics(app, [...feedFigures(db), ...webhookFigures(db), ...jobFigures(db)])
  installHealth(app, isReady)
  await installPages(app)

  await app.register(accountRoutes, { db, change, access })
  await app.register(sessionRoutes, { db, browser, signInAttempts: config.SIGN_IN_ATTEMPTS })
  await app.register(userRoutes, { db, change, url: room.publicUrl ?? room.ownUrl })
  await app.register(tokenRoutes, { db, change })
  await app.register(activityRoutes, { db, change, cursors, nameFields })
  await app.register(feedRoutes, { db, cursors: feedCursors, watch: feedWatch, nameFields })
  await app.register(fieldRoutes, {
    db,
    change,
    queue,
    fieldCache,
    usesOf: [listsUsingField, webhooksUsingField],
    showsOf: [formsUsingField],
    usersOf: [
      listsWithFields,
      formsWithFields,
      webhooksWithFields,
      viewsWithFields,
      recipesWithFields,
      templatesWithFields,
    ],
  })
  await app.register(contactRoutes, { db, change, reader, deskOf })
  await app.register(suppressionRoutes, { db, change })
  const variablesOf = (accountId: number, contactId: string) => contactVariables(db, accountId, contactId)
  const retry = (trx: Trx, caller: Caller, id: string) => retryMail(trx, room, caller, id)
  const mail = { keyring, room, days: config.CONFIRMATION_DAYS, from: config.MAIL_FROM, variablesOf, retry }
  await app.register(mailRoutes, { db, change, cursors, usersOf: [accountWithTemplate, formsWithTemplate], ...mail })
  await app.register(sendRoutes, { change, room })
  const pageAttempts = new Attempts(config.RATE_LIMIT, WINDOW_MS)
  const accountOf = (accountId: number) => access.accountOf(accountId)
  const forms = new Recent((publicId: string) => findPublicForm(db, publicId), { ttlMs: 5000, max: 10_000 })
  await app.register(formApiRoutes, { db, change, room, forms, accountOf })
  const pages = { db, room, asking, attempts: pageAttempts, isPrepared, accountOf, forms }
  const fieldsOf = (accountId: number) => fieldCache.of(accountId)
  const signUps = new Attempts(config.FORM_RATE_LIMIT, SIGN_UP_WINDOW_MS)
  const ownData: OwnData = {
    exportOf: async (accountId, contactId) => {
      const row = await readContact(db, accountId, { by: 'id', id: contactId })
      return (
        row &&
        Readable.from(jsonOf(await exportOf({ db, keyring, reader, nameFields }, accountId, row)), {
          objectMode: false,
        })
      )
    },
    erase: (caller, contactId, isAsked) =>
      undertake({ db, files }, caller.accountId, (id) =>
        db.transaction(async (trx) => {
          if (await isAsked(trx)) await erase(trx, { files, keyring, queue }, caller, { id: contactId }, { id })
        }),
      ),
  }
  await app.register(pageRoutes, { ...pages, fieldsOf, signUps, deskOf, ownData })
  await app.register(permissionRoutes, { db, change, reader, deskOf })
  await app.register(bulkRoutes, { change, queue, deskOf })
  await app.register(revertRoutes, { change, queue })
  await app.register(listRoutes, {
    db,
    change,
    reader,
    settingsOf,
    usesOf: [smartListsUsing, webhooksUsingLists, formsUsingLists],
    usersOf: [smartListsWithList, formsWithList, webhooksWithList, viewsWithList, recipesWithList],
  })
  await app.register(memberRoutes, { db, change, reader })
  await app.register(privacyRoutes, { db, change, files, keyring, queue, reader, nameFields })
  await app.register(viewRoutes, { db, change })
  await app.register(statsRoutes, { db, cursors, settingsOf })
  await app.register(recipeRoutes, { db, change })
  await app.register(importRoutes, {
    db,
    change,
    queue,
    files,
    thread: { databaseUrl: db.url, filesAt },
    cursors,
    uploadMaxBytes: config.UPLOAD_MAX_BYTES,
    bodyMaxBytes: config.IMPORT_BODY_MAX_BYTES,
    keepFileDays: config.UPLOAD_RETENTION_DAYS,
  })
  const links = { base: () => linkBase(room), keyring }
  await app.register(exportRoutes, {
    db,
    change,
    queue,
    files,
    keyring,
    fieldCache,
    publicUrl: config.PUBLIC_URL,
    links,
  })
  const allowPrivate = config.WEBHOOK_ALLOW_PRIVATE
  const target = { allowPrivate, resolve: resolverFor({ allowPrivate }) }
  await app.register(webhookRoutes, { db, change, keyring, cursors, feedCursors, nameFields, target })
  await app.register(providerRoutes, { db, change, keyring, base: room.publicUrl ?? room.ownUrl })
  const hookAttempts = new Attempts(config.RATE_LIMIT, WINDOW_MS)
  await app.register(hookRoutes, { db, keyring, settingsOf, attempts: hookAttempts, isPrepared, reach })
  return app
}
