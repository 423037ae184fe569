import { Textarea, TextInput } from '@mantine/core'
import { Panel } from '../../components/panel.tsx'
import * as en from '../../strings/en.ts'
import type { PartProps } from './form-editor.tsx'

const LONGEST = 2000
const PARAGRAPHS = { autosize: true, minRows: 2, maxRows: 10, maxLength: LONGEST }

/** What a form says in words of its own. */
export function WordsPanel({ draft, onChange, faults }: PartProps) {
  const isSentOn = draft.redirect_url.trim() !== ''
  return (
    <Panel title={en.forms.texts} about={en.forms.textsAbout}>
      <TextInput
        label={en.forms.heading}
        maxLength={LONGEST}
        value={draft.title}
        error={faults.title}
        onChange={(event) => onChange({ title: event.currentTarget.value })}
      />
      <Textarea
        label={en.forms.introduction}
        description={en.forms.introductionHint}
        {...PARAGRAPHS}
        value={draft.introduction}
        error={faults.introduction}
        onChange={(event) => onChange({ introduction: event.currentTarget.value })}
      />
      <Textarea
        label={en.forms.consent}
        description={en.forms.consentHint}
        {...PARAGRAPHS}
        value={draft.consent}
        error={faults.consent}
        onChange={(event) => onChange({ consent: event.currentTarget.value })}
      />
      <TextInput
        label={en.forms.button}
        maxLength={LONGEST}
        value={draft.button}
        error={faults.button}
        onChange={(event) => onChange({ button: event.currentTarget.value })}
      />
      <Textarea
        label={en.forms.success}
        {...(isSentOn ? { description: en.forms.successUnused } : {})}
        {...PARAGRAPHS}
        value={draft.success}
        error={faults.success}
        onChange={(event) => onChange({ success: event.currentTarget.value })}
      />
    </Panel>
  )
}
