import type { Answer, Body } from '@rollcall/sdk'
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import type { OpenAccount } from './client.ts'

/*
 * Keys begin with the account and the noun: `invalidateQueries({ queryKey: [account.id, 'contacts'] })` reaches everything
 * that shows contacts.
 */

export type Contact = Answer<'getContact'>['data']
export type Field = Answer<'listFields'>[number]
export type List = Answer<'listLists'>[number]
export type ChangeSet = Answer<'getChangeSet'>
export type Form = Answer<'listForms'>['data'][number]
export type Template = Answer<'getTemplate'>['data']
export type Event = Answer<'listContactEvents'>['data'][number]
export type FeedEvent = Answer<'readFeed'>['data'][number]
export type Search = Body<'searchContacts'>

/** Definitions change seldom, and every change of them in these pages says so. */
const SELDOM_MS = 60_000

export const fieldsQuery = ({ id, api }: OpenAccount) =>
  queryOptions({
    queryKey: [id, 'fields'],
    queryFn: ({ signal }) => api.call('listFields', {}, { signal }),
    staleTime: SELDOM_MS,
  })

/** How many contacts have a value for each field, and what speaks of it; of a large account estimated from a sample. */
export const fieldUsageQuery = ({ id, api }: OpenAccount) =>
  queryOptions({
    queryKey: [id, 'fields', 'usage'],
    queryFn: ({ signal }) => api.fields.usage({ signal }),
    staleTime: SELDOM_MS / 6,
  })

export const listsQuery = ({ id, api }: OpenAccount) =>
  queryOptions({
    queryKey: [id, 'lists'],
    queryFn: ({ signal }) => api.call('listLists', {}, { signal }),
    staleTime: SELDOM_MS / 6,
  })

export const listUsageQuery = ({ id, api }: OpenAccount, list: number) =>
  queryOptions({
    queryKey: [id, 'lists', list, 'usage'],
    queryFn: async ({ signal }) => (await api.call('getListUsage', { path: { list_id: list } }, { signal })).used_by,
  })

/** Saved views of the contacts: one's own and everybody's. */
export const viewsQuery = ({ id, api }: OpenAccount) =>
  queryOptions({
    queryKey: [id, 'views'],
    queryFn: ({ signal }) => api.call('listViews', {}, { signal }),
  })

export const accountQuery = ({ id, api }: OpenAccount) =>
  queryOptions({
    queryKey: [id, 'account'],
    queryFn: ({ signal }) => api.call('getAccount', {}, { signal }),
    staleTime: SELDOM_MS,
  })

export const formsQuery = ({ id, api }: OpenAccount) =>
  queryOptions({
    queryKey: [id, 'forms'],
    queryFn: ({ signal }) => api.forms.list({ signal }),
  })

/** How often each form was filled in so many days, and how many of these confirmed. */
export const formStatsQuery = ({ id, api }: OpenAccount, days: number) =>
  queryOptions({
    queryKey: [id, 'forms', 'stats', days],
    queryFn: async ({ signal }) => (await api.call('getFormStats', { query: { days } }, { signal })).data,
    staleTime: SELDOM_MS / 6,
  })

export const templatesQuery = ({ id, api }: OpenAccount) =>
  queryOptions({
    queryKey: [id, 'templates'],
    queryFn: ({ signal }) => api.mail.templates({ signal }),
  })

export const templateQuery = ({ id, api }: OpenAccount, name: string) =>
  queryOptions({
    queryKey: [id, 'templates', name],
    queryFn: ({ signal }) => api.mail.template(name, { signal }),
  })

/** What welcomes people by a template. */
export const templateUsageQuery = ({ id, api }: OpenAccount, name: string) =>
  queryOptions({
    queryKey: [id, 'templates', name, 'usage'],
    queryFn: async ({ signal }) => (await api.call('getTemplateUsage', { path: { name } }, { signal })).used_by,
  })

export const contactsTotalQuery = ({ id, api }: OpenAccount) =>
  queryOptions({
    queryKey: [id, 'contacts', 'total'],
    queryFn: async ({ signal }) => (await api.contacts.list({ per_page: 1 }, { signal })).total,
  })

/** How many meet criteria, or that they are more than 10,000, or about how many, whichever is known at once; and a few of them. */
export const previewQuery = ({ id, api }: OpenAccount, criteria: unknown) =>
  queryOptions({
    queryKey: [id, 'contacts', 'preview', criteria],
    queryFn: ({ signal }) => api.call('previewCriteria', { body: { criteria, count: 'estimated' } }, { signal }),
  })

/** How many exactly, where that is not known at once. */
export const exactCountQuery = ({ id, api }: OpenAccount, criteria: unknown) =>
  queryOptions({
    queryKey: [id, 'contacts', 'preview', criteria, 'exact'],
    queryFn: ({ signal }) => api.call('previewCriteria', { body: { criteria, count: 'exact' } }, { signal }),
  })

/** Of these every contact may have another: they are looked up among all, and not suggested from a sample. */
const OWN_TO_EACH: readonly string[] = ['email', 'external_id']
const MOST_SUGGESTED = 12

/** Values of a field, or tags, that contacts have, and that hold what has been typed; the commonest first. */
export const valuesQuery = ({ id, api }: OpenAccount, field: string, typed: string) =>
  queryOptions({
    queryKey: [id, 'contacts', 'values', field, typed],
    queryFn: async ({ signal }): Promise<{ value: string; count?: number }[]> => {
      if (!OWN_TO_EACH.includes(field))
        return (await api.fields.values(field, { q: typed, limit: MOST_SUGGESTED }, { signal })).values
      if (typed === '') return []
      const criteria = { field, op: 'starts_with', value: typed }
      const { data } = await api.contacts.search({ criteria, per_page: MOST_SUGGESTED, count: 'capped' }, { signal })
      return data.map((contact) => ({ value: String(contact[field as 'email' | 'external_id']) }))
    },
    staleTime: SELDOM_MS,
  })

/** One contact, with the smart lists that it is in now. */
export const contactQuery = ({ id, api }: OpenAccount, contact: string) =>
  queryOptions({
    queryKey: [id, 'contact', contact],
    queryFn: async ({ signal }) =>
      (await api.call('getContact', { path: { contact }, query: { include: 'smart_lists' } }, { signal })).data,
  })

export type ListDetail = Answer<'getList'>

export const listQuery = ({ id, api }: OpenAccount, list: number) =>
  queryOptions({
    queryKey: [id, 'lists', list],
    queryFn: ({ signal }) => api.call('getList', { path: { list_id: list } }, { signal }),
  })

export const listGrowthQuery = ({ id, api }: OpenAccount, list: number, days: number) =>
  queryOptions({
    queryKey: [id, 'lists', list, 'growth', days],
    queryFn: async ({ signal }) => (await api.lists.growth(list, { days }, { signal })).days,
  })

/** Who entered a list and who left it, the latest first; of one day, where it is given. */
export const listMovesQuery = ({ id, api }: OpenAccount, list: number, day: string | undefined) =>
  infiniteQueryOptions({
    queryKey: [id, 'lists', list, 'moves', day ?? null],
    queryFn: ({ pageParam, signal }) =>
      api.call(
        'getListMoves',
        {
          path: { list_id: list },
          query: { per_page: 25, ...(day ? { day } : {}), ...(pageParam === null ? {} : { cursor: pageParam }) },
        },
        { signal },
      ),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next_cursor }) => next_cursor,
  })
