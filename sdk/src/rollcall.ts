import { ChangeSets } from './change-sets.ts'
import { Contacts } from './contacts.ts'
import { Exports } from './exports.ts'
import { Feed } from './feed.ts'
import { Fields } from './fields.ts'
import { Forms } from './forms.ts'
import { type Helpers, helpersOf } from './helpers.ts'
import { Imports } from './imports.ts'
import { Lists } from './lists.ts'
import { Mail } from './mail.ts'
import { Permission } from './permission.ts'
import { type Call, type Settings, Transport } from './transport.ts'
import { Webhooks } from './webhooks.ts'

export type { ChangedContact, ChangeSet } from './change-sets.ts'
export type { Contact, ContactChange, ContactName, ContactQuery, Event } from './contacts.ts'
export {
  ApiError,
  ConnectionError,
  FeedRestartedError,
  ForbiddenError,
  ImportFailedError,
  InvalidError,
  NotFoundError,
  PreconditionFailedError,
  RateLimitedError,
  RollcallError,
  ServiceError,
  TimeoutError,
  UnauthorizedError,
  UnexpectedAnswerError,
  WebhookError,
} from './errors.ts'
export type { Export } from './exports.ts'
export type { Batch, FeedEvent, FeedOptions, StreamedEvent, StreamOptions } from './feed.ts'
export type { Field } from './fields.ts'
export type { Form } from './forms.ts'
export type { Import, ImportContact, ImportedContact, WaitOptions } from './imports.ts'
export type { List } from './lists.ts'
export type { Message, Template } from './mail.ts'
export type { Operations } from './operations.ts'
export type { Answer, Body, Call, CallOptions, OperationName, Query, Settings } from './transport.ts'
export type { ImportFile, ImportOptions } from './upload.ts'
export { type GivenHeaders, verifyWebhook, type WebhookMessage } from './verify-webhook.ts'
export type { Delivery, Webhook } from './webhooks.ts'

/** A client of one account. Its methods need no `this`: take out of it what you use. */
export interface Rollcall extends Helpers {
  contacts: Contacts
  lists: Lists
  fields: Fields
  imports: Imports
  exports: Exports
  events: Feed
  webhooks: Webhooks
  changeSets: ChangeSets
  forms: Forms
  mail: Mail
  permission: Permission
  /** Any operation of the API, by the name that `/openapi.json` gives it. */
  call: Call
}

/** The client of a service, with the helpers beside its groups of methods. Asks nothing yet. */
export function rollcall(settings: Settings): Rollcall {
  const transport = new Transport(settings)
  const groups = {
    contacts: new Contacts(transport),
    lists: new Lists(transport),
    fields: new Fields(transport),
    imports: new Imports(transport),
    exports: new Exports(transport),
    events: new Feed(transport),
    webhooks: new Webhooks(transport),
    changeSets: new ChangeSets(transport),
    forms: new Forms(transport),
    mail: new Mail(transport),
    permission: new Permission(transport),
  }
  return { ...groups, ...helpersOf(transport, groups), call: transport.call }
}

export type NewContact = Parameters<Contacts['create']>[0]
