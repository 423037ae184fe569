import type { Body } from '@rollcall/sdk'
import type { Field, Form } from '../../api/queries.ts'

/** The words that a form can have of its own. */
export const WORDS = ['title', 'introduction', 'consent', 'button', 'success'] as const

/** The settings of a form as its inputs hold them: what is not there is empty. */
export interface Draft extends Record<(typeof WORDS)[number], string> {
  name: string
  active: boolean
  double_opt_in: boolean
  list_ids: number[]
  fields: Asked[]
  redirect_url: string
  frame_origins: string[]
  welcome_template: string | null
}

/** A field that is asked for. */
export interface Asked {
  /** Its merge tag. */
  field: string
  label: string
  required: boolean
}

/** Whether nobody can be without a field, so that every form must ask for it. */
export const isEveryones = ({ required, default: preset }: Field) => required && preset === null

export function draftOf(form: Form): Draft {
  const words = Object.fromEntries(WORDS.map((word) => [word, form[word] ?? ''])) as Record<
    (typeof WORDS)[number],
    string
  >
  const { name, active, double_opt_in, list_ids, frame_origins, welcome_template } = form
  return {
    ...{ name, active, double_opt_in, list_ids, frame_origins, welcome_template, ...words },
    redirect_url: form.redirect_url ?? '',
    fields: form.fields.map(({ label, ...asked }) => ({ ...asked, label: label ?? '' })),
  }
}

/** A form that is still to be made: it asks for what nobody can be without. */
export function newDraft(fields: readonly Field[]): Draft {
  return {
    ...{ name: '', active: true, double_opt_in: true, list_ids: [], redirect_url: '', frame_origins: [] },
    ...{ title: '', introduction: '', consent: '', button: '', success: '', welcome_template: null },
    fields: fields.filter(isEveryones).map(({ merge_tag: field }) => ({ field, label: '', required: true })),
  }
}

/** What the service is told of a draft: texts that are empty are none. */
export function settingsOf(draft: Draft): Body<'createForm'> {
  const words = Object.fromEntries(WORDS.map((word) => [word, draft[word].trim() || null]))
  return {
    ...draft,
    ...words,
    redirect_url: draft.redirect_url.trim() || null,
    fields: draft.fields.map(({ label, ...asked }) => ({ ...asked, label: label.trim() || null })),
  }
}

/** Only what differs: who changes other settings of the same form meanwhile loses nothing. */
export function changesIn(draft: Draft, saved: Draft): Body<'updateForm'> {
  const before = settingsOf(saved) as Record<string, unknown>
  return Object.fromEntries(
    Object.entries(settingsOf(draft)).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name])),
  )
}
