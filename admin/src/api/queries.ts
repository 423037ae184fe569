import type { Answer, Body } from '@rollcall/sdk'
import { queryOptions } from '@tanstack/react-query'
import type { OpenAccount } from './client.ts'

/*
 * Keys begin with the account and the noun: `invalidateQueries({ queryKey: [account.id, 'contacts'] })` reaches everything
 * that shows contacts.
 */

export type Contact = Answer<'getContact'>['data']
export type Field = Answer<'listFields'>[number]
export type List = Answer<'listLists'>[number]
export type ChangeSet = Answer<'getChangeSet'>
export type Event = Answer<'listContactEvents'>['data'][number]
export type Search = Body<'searchContacts'>

/** Definitions change seldom, and every change of them in these pages says so. */
const SELDOM_MS = 60_000

export const fieldsQuery = ({ id, api }: OpenAccount) =>
  queryOptions({
    queryKey: [id, 'fields'],
    queryFn: ({ signal }) => api.call('listFields', {}, { signal }),
    staleTime: SELDOM_MS,
  })

export const listsQuery = ({ id, api }: OpenAccount) =>
  queryOptions({
    queryKey: [id, 'lists'],
    queryFn: ({ signal }) => api.call('listLists', {}, { signal }),
    staleTime: SELDOM_MS / 6,
  })

export const accountQuery = ({ id, api }: OpenAccount) =>
  queryOptions({
    queryKey: [id, 'account'],
    queryFn: ({ signal }) => api.call('getAccount', {}, { signal }),
    staleTime: SELDOM_MS,
  })

export const contactsTotalQuery = ({ id, api }: OpenAccount) =>
  queryOptions({
    queryKey: [id, 'contacts', 'total'],
    queryFn: async ({ signal }) => (await api.contacts.list({ per_page: 1 }, { signal })).total,
  })

/** How many meet criteria, and a few of them. */
export const previewQuery = ({ id, api }: OpenAccount, criteria: unknown) =>
  queryOptions({
    queryKey: [id, 'contacts', 'preview', criteria],
    queryFn: ({ signal }) => api.call('previewCriteria', { body: { criteria } }, { signal }),
  })

/** As many contacts are looked through for values to suggest. */
const SUGGESTED_FROM = 100

/** Values of a field, or tags, that contacts have, and that begin with what has been typed. */
export const valuesQuery = ({ id, api }: OpenAccount, field: string, typed: string) =>
  queryOptions({
    queryKey: [id, 'contacts', 'values', field, typed],
    queryFn: async ({ signal }) => {
      const starting = typed === '' ? { field, op: 'is_set' } : { field, op: 'starts_with', value: typed }
      const criteria = field === 'tag' ? {} : starting
      const found = await api.contacts.search({ criteria, per_page: SUGGESTED_FROM, count: 'capped' }, { signal })
      return [...new Set(found.data.flatMap((contact) => valuesIn(contact, field)))].sort((a, b) => a.localeCompare(b))
    },
    staleTime: SELDOM_MS,
  })

function valuesIn(contact: Contact, field: string): string[] {
  switch (field) {
    case 'tag':
      return contact.tags
    case 'email_domain':
      return [contact.email.slice(contact.email.lastIndexOf('@') + 1)]
    case 'email':
    case 'origin':
      return [contact[field]]
    case 'external_id':
      return contact.external_id === null ? [] : [contact.external_id]
    default: {
      const value = contact.fields[field]
      return value === undefined || value === null ? [] : [String(value)]
    }
  }
}

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
    queryFn: async ({ signal }) =>
      (await api.call('getListGrowth', { path: { list_id: list }, query: { days } }, { signal })).days,
  })
