import { activity } from './en/activity.ts'
import { changes } from './en/changes.ts'
import { common } from './en/common.ts'
import { contact } from './en/contact.ts'
import { contacts } from './en/contacts.ts'
import { criteria } from './en/criteria.ts'
import { data } from './en/data.ts'
import { events } from './en/events.ts'
import { exports } from './en/exports.ts'
import { fields } from './en/fields.ts'
import { forms } from './en/forms.ts'
import { home } from './en/home.ts'
import { imports } from './en/imports.ts'
import { lists } from './en/lists.ts'
import { outbox } from './en/outbox.ts'
import { providers } from './en/providers.ts'
import { session } from './en/session.ts'
import { settings } from './en/settings.ts'
import { shell } from './en/shell.ts'
import { suppressions } from './en/suppressions.ts'
import { templates } from './en/templates.ts'
import { usedBy } from './en/used-by.ts'
import { webhooks } from './en/webhooks.ts'

/**
 * Every text of the pages, in one place and by page: texts as they are, or functions of what they depend on. A page adds a
 * file beside these and its name here.
 */
export const en = {
  activity,
  changes,
  common,
  contact,
  contacts,
  criteria,
  data,
  events,
  exports,
  fields,
  forms,
  home,
  imports,
  lists,
  providers,
  outbox,
  session,
  settings,
  shell,
  suppressions,
  templates,
  usedBy,
  webhooks,
}
