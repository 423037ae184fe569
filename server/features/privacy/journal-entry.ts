import type { Mark } from '../../lib/secret.ts'

/** What the journal keeps of an erasure, in an object of the file store: no address, and nothing that leads to one. */
export interface Entry {
  account_id: number
  /** Of the erasure. */
  id: string
  /** ISO 8601. */
  at: string
  /** Of each address of the person, by the key that was in use. */
  marks: Mark[]
}

export const journalFolder = (accountId: number) => `${accountId}/erasures`
export const journalKey = (accountId: number, id: string) => `${journalFolder(accountId)}/${id}.json`
