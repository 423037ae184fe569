import { TagsInput, TextInput } from '@mantine/core'
import { Panel } from '../../components/panel.tsx'
import * as en from '../../strings/en.ts'
import type { PartProps } from './form-editor.tsx'

/** What a form has to do with the account's own website. */
export function PlacePanel({ draft, onChange, faults }: PartProps) {
  return (
    <Panel title={en.forms.place}>
      <TextInput
        inputMode="url"
        label={en.forms.redirect}
        description={en.forms.redirectHint}
        placeholder="https://"
        maxLength={2000}
        value={draft.redirect_url}
        error={faults.redirect_url}
        onChange={(event) => onChange({ redirect_url: event.currentTarget.value })}
      />
      <TagsInput
        label={en.forms.origins}
        description={en.forms.originsHint}
        splitChars={[',', ' ', '\n']}
        acceptValueOnBlur
        maxTags={20}
        value={draft.frame_origins}
        error={faults.frame_origins}
        onChange={(origins) => onChange({ frame_origins: origins })}
      />
    </Panel>
  )
}
