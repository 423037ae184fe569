/*
 * Every text of the pages, in one place and by page: texts as they are, or functions of what they depend on. A page adds a
 * file beside these and its name here. Taken as `import * as en`, of which a build keeps what is named: so a page loads the
 * texts that it shows, and not the 20 kB (compressed) of all others.
 */
export { activity } from './en/activity.ts'
export { changes } from './en/changes.ts'
export { common } from './en/common.ts'
export { contact } from './en/contact.ts'
export { contacts } from './en/contacts.ts'
export { criteria } from './en/criteria.ts'
export { data } from './en/data.ts'
export { events } from './en/events.ts'
export { exports } from './en/exports.ts'
export { fields } from './en/fields.ts'
export { forms } from './en/forms.ts'
export { home } from './en/home.ts'
export { imports } from './en/imports.ts'
export { lists } from './en/lists.ts'
export { outbox } from './en/outbox.ts'
export { providers } from './en/providers.ts'
export { session } from './en/session.ts'
export { settings } from './en/settings.ts'
export { shell } from './en/shell.ts'
export { suppressions } from './en/suppressions.ts'
export { templates } from './en/templates.ts'
export { usedBy } from './en/used-by.ts'
export { webhooks } from './en/webhooks.ts'
