import { type Static, Type } from 'typebox'

const Mark = Type.Object({ keyId: Type.String({ pattern: '^[0-9a-f]{8}$' }), value: Type.String({ minLength: 1 }) })

/** What the journal keeps of an erasure, in an object of the file store: no address, and nothing that leads to one. */
export const Entry = Type.Object({
  account_id: Type.Integer(),
  id: Type.String({ description: 'Of the erasure.' }),
  at: Type.String({ description: 'ISO 8601.' }),
  marks: Type.Array(Mark, { description: 'Of each address of the person, by the key that was in use.' }),
})
export type Entry = Static<typeof Entry>

export const journalFolder = (accountId: number) => `${accountId}/erasures`
export const journalKey = (accountId: number, id: string) => `${journalFolder(accountId)}/${id}.json`

/** The erasure whose entry stands under a key; undefined: it is no entry's. */
export const erasureOf = (key: string) => /\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.json$/.exec(key)?.[1]
