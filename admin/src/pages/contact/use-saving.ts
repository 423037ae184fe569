import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useAccount } from '../../api/client.ts'
import type { Contact } from '../../api/queries.ts'
import { done } from '../../components/toast.tsx'
import { withContact } from '../../contacts/pages-query.ts'
import { en } from '../../strings/en.ts'

/** What of a contact can be edited on its page. */
export interface Draft {
  email: string
  external_id: string | null
  tags: string[]
  list_ids: number[]
  fields: Record<string, unknown>
}

export function draftOf({ email, external_id, tags, list_ids, fields }: Contact): Draft {
  return { email, external_id, tags, list_ids, fields: { ...fields } }
}

/** A value that was changed; `name` is a merge tag where `isField`. */
export interface Change {
  name: string
  isField: boolean
  from: unknown
  to: unknown
}

const same = (a: unknown, b: unknown) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null)
const ATTRIBUTES = ['email', 'external_id', 'tags', 'list_ids'] as const

/** What differs between two drafts. */
export function changesOf(before: Draft, after: Draft): Change[] {
  const attributes = ATTRIBUTES.map((name) => ({
    name,
    isField: false,
    from: before[name] as unknown,
    to: after[name] as unknown,
  }))
  const tags = new Set([...Object.keys(before.fields), ...Object.keys(after.fields)])
  const fields = [...tags].map((name) => ({ name, isField: true, from: before.fields[name], to: after.fields[name] }))
  return [...attributes, ...fields].filter(({ from, to }) => !same(from, to))
}

/** A value that both have changed since the page was opened, to different ones. */
export interface Conflict extends Change {
  theirs: unknown
}

/** Those of my changes that meet another's: `now` is what is saved at this moment. */
export function conflictsOf(mine: readonly Change[], now: Draft): Conflict[] {
  return mine
    .map((change) => ({
      ...change,
      theirs: change.isField ? now.fields[change.name] : now[change.name as (typeof ATTRIBUTES)[number]],
    }))
    .filter(({ from, to, theirs }) => !same(theirs, from) && !same(theirs, to))
}

function patchOf(changes: readonly Change[]): Record<string, unknown> {
  const fields = changes.filter(({ isField }) => isField).map(({ name, to }) => [name, to ?? null])
  return {
    ...Object.fromEntries(changes.filter(({ isField }) => !isField).map(({ name, to }) => [name, to])),
    ...(fields.length > 0 ? { fields: Object.fromEntries(fields) } : {}),
  }
}

interface Saving {
  base: Contact
  draft: Draft
  onSaved: (contact: Contact) => void
}

/**
 * Saves the changed values alone, so that two people who edit different ones do not meet. Before that it looks whether
 * another has changed the same ones, and then asks.
 */
export function useSaving({ base, draft, onSaved }: Saving) {
  const account = useAccount()
  const client = useQueryClient()
  const [conflict, setConflict] = useState<{ of: Conflict[]; changes: Change[] }>()
  const [error, setError] = useState<unknown>()
  const [isSaving, setSaving] = useState(false)

  const send = async (changes: readonly Change[]) => {
    if (changes.length > 0) await account.api.contacts.update(base.id, patchOf(changes))
    const saved = (
      await account.api.call('getContact', { path: { contact: base.id }, query: { include: 'smart_lists' } })
    ).data
    client.setQueryData([account.id, 'contact', base.id], saved)
    client.setQueriesData({ queryKey: [account.id, 'contacts', 'pages'] }, (held: Parameters<typeof withContact>[0]) =>
      withContact(held, saved),
    )
    void client.invalidateQueries({ queryKey: [account.id, 'timeline', base.id] })
    onSaved(saved)
    done(en.contact.saved)
  }
  const attempt = async (act: () => Promise<void>) => {
    setSaving(true)
    setError(undefined)
    try {
      await act()
    } catch (failure) {
      setError(failure)
    } finally {
      setSaving(false)
    }
  }

  return {
    error,
    isSaving,
    conflict,
    giveUp: () => setConflict(undefined),
    save: () =>
      attempt(async () => {
        const changes = changesOf(draftOf(base), draft)
        const now = draftOf(await account.api.contacts.get(base.id))
        const met = conflictsOf(changes, now)
        if (met.length > 0) setConflict({ of: met, changes })
        else await send(changes)
      }),
    /** Goes on after a conflict, with those of my values that are to stay. */
    decide: (mine: ReadonlySet<string>) =>
      attempt(async () => {
        const { of = [], changes = [] } = conflict ?? {}
        setConflict(undefined)
        const given = new Set(of.map(({ name }) => name).filter((name) => !mine.has(name)))
        await send(changes.filter(({ name }) => !given.has(name)))
      }),
  }
}
