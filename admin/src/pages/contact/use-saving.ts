import { PreconditionFailedError } from '@rollcall/sdk'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useAccount } from '../../api/client.ts'
import type { Contact } from '../../api/queries.ts'
import { done } from '../../components/toast.tsx'
import { withContact } from '../../contacts/pages-query.ts'
import * as en from '../../strings/en.ts'

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

/** What is saved, with all that has been typed since it was sent. */
export function withLater(saved: Draft, sent: Draft, now: Draft): Draft {
  const later: Partial<Draft> = patchOf(changesOf(sent, now))
  return { ...saved, ...later, fields: { ...saved.fields, ...later.fields } }
}

/** A value that both have changed since the page was opened, to different ones. */
export interface Conflict extends Change {
  theirs: unknown
}

const valueIn = (draft: Draft, { name, isField }: Change): unknown =>
  isField ? draft.fields[name] : draft[name as (typeof ATTRIBUTES)[number]]

/** Those of my changes that meet another's: `now` is what is saved at this moment. */
export function conflictsOf(mine: readonly Change[], now: Draft): Conflict[] {
  return mine
    .map((change) => ({ ...change, theirs: valueIn(now, change) }))
    .filter(({ from, to, theirs }) => !same(theirs, from) && !same(theirs, to))
}

function patchOf(changes: readonly Change[]): Record<string, unknown> {
  const fields = changes.filter(({ isField }) => isField).map(({ name, to }) => [name, to ?? null])
  return {
    ...Object.fromEntries(changes.filter(({ isField }) => !isField).map(({ name, to }) => [name, to])),
    ...(fields.length > 0 ? { fields: Object.fromEntries(fields) } : {}),
  }
}

/** A meeting of two people's changes, of which some are of the same values. */
interface Met {
  of: Conflict[]
  mine: readonly Change[]
  /** All that the other has changed since the page was opened. */
  theirs: Change[]
  now: Contact
}

interface Saving {
  base: Contact
  draft: Draft
  onSaved: (contact: Contact) => void
}

/** My changes as they are once another's are known: what both made the same of is none any more. */
export function rebased(mine: readonly Change[], now: Draft): Change[] {
  return mine.map((change) => ({ ...change, from: valueIn(now, change) })).filter(({ from, to }) => !same(from, to))
}

/**
 * Saves the changed values alone, on the condition that the contact is still what the page has shown. Where someone else
 * was faster it goes on by itself if they changed other values, and asks if they changed the same ones.
 */
export function useSaving({ base, draft, onSaved }: Saving) {
  const account = useAccount()
  const client = useQueryClient()
  const [conflict, setConflict] = useState<Met>()
  const [error, setError] = useState<unknown>()
  const [isSaving, setSaving] = useState(false)

  const send = async (mine: readonly Change[], known: Contact): Promise<void> => {
    try {
      if (mine.length > 0) await account.api.contacts.update(base.id, patchOf(mine), { ifMatch: known.version })
    } catch (refusal) {
      if (!(refusal instanceof PreconditionFailedError && refusal.contact)) throw refusal
      const now = refusal.contact
      const met = conflictsOf(mine, draftOf(now))
      if (met.length === 0) return send(rebased(mine, draftOf(now)), now)
      return setConflict({ of: met, mine, now, theirs: changesOf(draftOf(base), draftOf(now)) })
    }
    const saved = (
      await account.api.call('getContact', { path: { contact: base.id }, query: { include: 'smart_lists' } })
    ).data
    client.setQueryData([account.id, 'contact', base.id], saved)
    client.setQueriesData({ queryKey: [account.id, 'contacts', 'pages'] }, (held: Parameters<typeof withContact>[0]) =>
      withContact(held, saved),
    )
    void client.invalidateQueries({ queryKey: [account.id, 'timeline', base.id] })
    onSaved(saved)
    done(known === base ? en.contact.saved : en.contact.savedBesideTheirs)
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
    save: () => attempt(() => send(changesOf(draftOf(base), draft), base)),
    /** Goes on after a conflict, with those of my values that are to stay. */
    decide: (staying: ReadonlySet<string>) =>
      attempt(async () => {
        if (!conflict) return
        const { of, mine, now } = conflict
        setConflict(undefined)
        const given = new Set(of.map(({ name }) => name).filter((name) => !staying.has(name)))
        const left = mine.filter(({ name }) => !given.has(name))
        await send(rebased(left, draftOf(now)), now)
      }),
  }
}
