import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useAccount } from '../../api/client.ts'
import type { Field, Form } from '../../api/queries.ts'
import { EditorForm } from '../../components/editor-form.tsx'
import { faultsByInput } from '../../components/problem.ts'
import { done } from '../../components/toast.tsx'
import * as en from '../../strings/en.ts'
import { changesIn, type Draft, settingsOf, WORDS } from './draft.ts'
import { FieldsPanel } from './fields-panel.tsx'
import { FormPreview } from './form-preview.tsx'
import { GeneralPanel } from './general-panel.tsx'
import { PlacePanel } from './place-panel.tsx'
import { WordsPanel } from './words-panel.tsx'

interface Props {
  /** The form that is changed; without it one is made. */
  form?: Form
  /** What its inputs begin with. */
  initial: Draft
  fields: readonly Field[]
}

/** What each part of the settings gets. */
export interface PartProps {
  draft: Draft
  onChange: (change: Partial<Draft>) => void
  /** What is wrong, by the name of the setting. */
  faults: Readonly<Record<string, string>>
}

const INPUTS = ['name', 'list_ids', 'fields', 'welcome_template', 'redirect_url', 'frame_origins', ...WORDS]

/** All settings of a form, and beside them the page that they make. */
export function FormEditor({ form, initial, fields }: Props) {
  const account = useAccount()
  const client = useQueryClient()
  const navigate = useNavigate()
  const [saved, setSaved] = useState(initial)
  const [draft, setDraft] = useState(initial)
  const isDirty = Object.keys(changesIn(draft, saved)).length > 0
  const save = useMutation({
    mutationFn: (sent: Draft) =>
      form
        ? account.api.forms.update(form.id, changesIn(sent, saved))
        : account.api.forms.create({ ...settingsOf(sent), name: sent.name }),
    onSuccess: async (result, sent) => {
      setSaved(sent) // What has been typed meanwhile is not.
      client.setQueryData([account.id, 'forms', result.id], result)
      void client.invalidateQueries({ queryKey: [account.id, 'forms'], exact: true })
      done(form ? en.forms.saved : en.forms.created(result.name))
      if (form) return
      const params = { account: String(account.id), form: String(result.id) }
      await navigate({ to: '/accounts/$account/forms/$form', params, ignoreBlocker: true })
    },
  })
  const faults = save.error ? faultsByInput(save.error, INPUTS) : {}
  const part = { draft, faults, onChange: (change: Partial<Draft>) => setDraft((now) => ({ ...now, ...change })) }
  return (
    <EditorForm
      act={{ mutate: () => save.mutate(draft), isPending: save.isPending }}
      problem={faults.base}
      submit={form ? en.forms.save : en.forms.create}
      isNew={form === undefined}
      isDirty={isDirty}
      beside={<FormPreview draft={draft} />}
    >
      <GeneralPanel {...part} />
      <FieldsPanel {...part} fields={fields} />
      <WordsPanel {...part} />
      <PlacePanel {...part} />
    </EditorForm>
  )
}
