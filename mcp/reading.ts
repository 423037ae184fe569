import { z } from 'zod'
import { NotFoundError } from '../sdk/src/rollcall.ts'
import { contactName, criteria, type Desk, given, limit, tool } from './desk.ts'

const STATES = ['none', 'pending', 'subscribed', 'unsubscribed', 'bounced'] as const

/** The tools that only look. */
export function readingTools(desk: Desk): void {
  const { client } = desk
  const { call } = client

  tool(
    desk,
    'search_contacts',
    {
      title: 'Search contacts',
      description:
        'Find people by part of an address or name (q), by criteria on fields, tags, lists and behaviour, or by state. Answers the total and one page; with total_is_capped there are more than the total. ' +
        'To know how many people a segment has, use preview_segment; for one person whose address you know, use get_contact.',
      does: 'read',
      input: {
        q: z.string().max(200).optional().describe('Part of an address or of a name'),
        criteria: criteria.optional(),
        list_id: z.number().int().optional().describe('Only members of this list, static or smart'),
        tag: z.string().optional(),
        state: z.enum(STATES).optional(),
        sort: z
          .string()
          .optional()
          .describe('-id (newest first), email, created_at or a field; a minus turns it round'),
        limit: limit(50, 20),
        cursor: z.string().optional().describe('next_cursor of the page before'),
      },
    },
    async ({ limit: per_page, ...asked }) => {
      const page = await client.contacts.search({ ...given(asked), per_page })
      const { total, total_is_capped, data: contacts, next_cursor } = page
      return { total, ...(total_is_capped ? { total_is_capped } : {}), contacts, next_cursor }
    },
  )

  tool(
    desk,
    'get_contact',
    {
      title: 'One contact',
      description:
        'Everything about one person now: fields, tags, lists (static and smart), state, and whether they may be mailed (sendable). ' +
        'For what happened to them use contact_timeline; for the reasons use explain_contact.',
      does: 'read',
      input: { contact: contactName },
    },
    async ({ contact }) => ({
      contact: (await call('getContact', { path: { contact }, query: { include: 'smart_lists' } })).data,
    }),
  )

  tool(
    desk,
    'explain_contact',
    {
      title: 'Why someone is in a list, or may not be mailed',
      description:
        'Explains one person. With list_id: why they are, or are not, in that smart list, condition by condition with the value seen. With criteria: ' +
        'the same for criteria that are not saved. With neither: why they may or may not be mailed (state, suppressions, consents, latest events).',
      does: 'read',
      input: { contact: contactName, list_id: z.number().int().optional(), criteria: criteria.optional() },
    },
    async ({ contact, list_id, criteria: asked }) => {
      if (list_id !== undefined) return explainMembership(desk, contact, list_id)
      if (asked) return call('explainCriteria', { body: { contact, criteria: asked } })
      const { data } = await call('getContact', { path: { contact } })
      const [consents, events, suppressions] = await Promise.all([
        call('listConsents', { path: { contact: data.id }, query: { per_page: 5 } }),
        call('listContactEvents', {
          path: { contact: data.id },
          query: { per_page: 5, types: 'created,subscribed,unsubscribed,updated,email_bounced,email_complained' },
        }),
        suppressionsOf(desk, data.email),
      ])
      const { email, state, sendable } = data
      return { email, state, sendable, suppressions, consents: consents.data, latest_events: events.data }
    },
  )

  tool(
    desk,
    'contact_timeline',
    {
      title: 'What happened to someone',
      description:
        'The activity of one person, the latest first: created, updated, subscribed, unsubscribed, list changes, mails sent, delivered, opened, clicked, bounced, and custom events.',
      does: 'read',
      input: {
        contact: contactName,
        types: z.array(z.string()).max(20).optional().describe('Only these types, such as email_opened or custom'),
        limit: limit(100, 20),
        cursor: z.string().optional().describe('next_cursor of the page before'),
      },
    },
    async ({ contact, types, limit: per_page, cursor }) => {
      const query = given({ per_page, cursor, types: types?.join(',') })
      const page = await call('listContactEvents', { path: { contact }, query })
      return { total: page.total, events: page.data, next_cursor: page.next_cursor }
    },
  )

  tool(
    desk,
    'preview_segment',
    {
      title: 'How many people meet criteria',
      description:
        'Counts exactly who meets criteria now and shows a few of them, without saving anything. Use it before create_smart_list or bulk_change.',
      does: 'read',
      input: { criteria },
    },
    async ({ criteria: asked }) => call('previewCriteria', { body: { criteria: asked, count: 'exact' } }),
  )

  tool(
    desk,
    'list_fields',
    {
      title: 'The fields of contacts',
      description: 'The fields that contacts have, with type, merge_tag (their name in criteria) and options.',
      does: 'read',
      input: {},
    },
    async () => ({ fields: await client.fields.list() }),
  )

  tool(
    desk,
    'list_lists',
    {
      title: 'The lists',
      description:
        'All lists, static and smart, with their size and criteria; with search only those whose name begins so.',
      does: 'read',
      input: { search: z.string().max(200).optional() },
    },
    async (asked) => ({ lists: await client.lists.list(given(asked)) }),
  )

  tool(
    desk,
    'list_changes',
    {
      title: 'Changes of many people',
      description:
        'Imports, bulk acts and other changes of many people, the latest first, with their counts. Phase "ready" means: proposed, and waiting for a person to approve it.',
      does: 'read',
      input: { limit: limit(50, 10), page: z.number().int().min(1).default(1) },
    },
    async ({ limit: per_page, page }) => {
      const { data, total } = await call('listChangeSets', { query: { per_page, page } })
      return { total, changes: data }
    },
  )

  tool(
    desk,
    'get_change',
    {
      title: 'One change, person by person',
      description:
        'One change set: how far it is, its counts, and its diff (each person before and after), of what was done or is proposed.',
      does: 'read',
      input: { id: z.number().int().min(1), limit: limit(50, 20), cursor: z.string().optional() },
    },
    async ({ id, limit: per_page, cursor }) => {
      const [change, diff] = await Promise.all([
        call('getChangeSet', { path: { id } }),
        call('getDiff', { path: { id }, query: given({ per_page, cursor }) }),
      ])
      return { change, diff: diff.data, next_cursor: diff.next_cursor }
    },
  )
}

/** Static lists have no criteria: there it is only whether. */
async function explainMembership({ client }: Desk, contact: string, listId: number): Promise<object> {
  const list = await client.lists.get(listId)
  if (list.type === 'smart') return client.call('explainMember', { path: { list_id: listId, contact } })
  const { data } = await client.call('getContact', { path: { contact } })
  const matches = data.list_ids.includes(listId)
  return {
    ...{ list_id: listId, contact_id: data.id, matches },
    explanation: `"${list.name}" is a static list: people are added to it and removed, by no criteria. contact_timeline shows when.`,
  }
}

/** Only an admin may see them. */
async function suppressionsOf({ client }: Desk, email: string): Promise<unknown> {
  try {
    return (await client.call('listSuppressions', { query: { email, per_page: 5 } })).data
  } catch (error) {
    if (error instanceof NotFoundError) return []
    return 'this token may not see suppressions'
  }
}
