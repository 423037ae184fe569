import { useQuery } from '@tanstack/react-query'
import { createContext, useContext, useMemo } from 'react'
import { useAccount } from '../api/client.ts'
import { fieldsQuery, type List, listsQuery } from '../api/queries.ts'
import * as en from '../strings/en.ts'
import { ATTRIBUTES, KIND_OF_FIELD, type Subject } from './table.ts'
import type { Names } from './words.ts'

/** What criteria of the account can speak of. */
export interface Vocabulary extends Names {
  attributes: readonly Subject[]
  fields: readonly Subject[]
  lists: readonly List[]
  find: (name: string) => Subject | undefined
}

/** The vocabulary of the account that is open; without its fields and lists until they are there. */
export function useVocabulary(): Vocabulary {
  const account = useAccount()
  const { data: fields } = useQuery(fieldsQuery(account))
  const { data: lists } = useQuery(listsQuery(account))
  return useMemo(() => {
    const attributes: Subject[] = Object.entries(ATTRIBUTES).map(([name, { kind, words }]) => ({
      ...{ name, kind, label: en.criteria.attributes[name] ?? name },
      ...(words ? { words } : {}),
    }))
    const defined: Subject[] = (fields ?? []).map(({ name, merge_tag, type, options }) => ({
      ...{ name: merge_tag, kind: KIND_OF_FIELD[type] ?? 'text', label: name },
      ...(options ? { words: options } : {}),
    }))
    const byName = new Map([...defined, ...attributes].map((subject) => [subject.name, subject]))
    const listNames = new Map((lists ?? []).map(({ id, name }) => [id, name]))
    return {
      attributes,
      fields: defined,
      lists: lists ?? [],
      find: (name) => byName.get(name),
      subject: (name) => byName.get(name)?.label ?? name,
      list: (id) => listNames.get(id) ?? en.criteria.unknownList(id),
    }
  }, [fields, lists])
}

/** What a builder's parts have in common. */
export interface Building {
  vocabulary: Vocabulary
  /** What the server says is wrong, by its path: `criteria.all.0.value`. */
  faults: Readonly<Record<string, readonly string[]>>
}

export const BuildingContext = createContext<Building | undefined>(undefined)

export function useBuilding(): Building {
  const building = useContext(BuildingContext)
  if (!building) throw new Error('useBuilding outside a CriteriaBuilder')
  return building
}
