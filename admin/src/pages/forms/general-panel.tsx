import { MultiSelect, Select, Switch, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useAccount } from '../../api/client.ts'
import { accountQuery, listsQuery, templatesQuery } from '../../api/queries.ts'
import { Panel } from '../../components/panel.tsx'
import * as en from '../../strings/en.ts'
import { CONFIRMING } from '../templates/built-in.ts'
import type { PartProps } from './form-editor.tsx'

/** Its name, whether it is on, which lists people join, and how. */
export function GeneralPanel({ draft, onChange, faults }: PartProps) {
  const account = useAccount()
  const { data: lists = [] } = useQuery(listsQuery(account))
  const { data: templates } = useQuery(templatesQuery(account))
  const { data: settings } = useQuery(accountQuery(account))
  const joined = lists.filter(({ id }) => draft.list_ids.includes(id))
  const insisting = [
    ...(settings?.double_opt_in ? [en.forms.theAccount] : []),
    ...joined.filter(({ double_opt_in: isDouble }) => isDouble).map(({ name }) => `“${name}”`),
  ]
  const isGone =
    templates && draft.welcome_template !== null && !templates.some(({ name }) => name === draft.welcome_template)
  return (
    <Panel title={en.forms.general}>
      <TextInput
        label={en.forms.name}
        description={en.forms.nameHint}
        required
        withAsterisk={false}
        maxLength={255}
        value={draft.name}
        error={faults.name}
        onChange={(event) => onChange({ name: event.currentTarget.value })}
      />
      <Switch
        label={en.forms.active}
        description={en.forms.activeHint}
        checked={draft.active}
        onChange={(event) => onChange({ active: event.currentTarget.checked })}
      />
      <MultiSelect
        label={en.forms.listsJoined}
        description={en.forms.listsHint}
        searchable
        data={lists.filter(({ type }) => type === 'static').map(({ id, name }) => ({ value: String(id), label: name }))}
        value={draft.list_ids.map(String)}
        error={faults.list_ids}
        onChange={(ids) => onChange({ list_ids: ids.map(Number) })}
      />
      <Switch
        label={en.forms.doubleOptIn}
        description={
          !draft.double_opt_in && insisting.length > 0 ? en.forms.anyhow(insisting) : en.forms.doubleOptInHint
        }
        checked={draft.double_opt_in}
        onChange={(event) => onChange({ double_opt_in: event.currentTarget.checked })}
      />
      <Select
        label={en.forms.welcome}
        description={en.forms.welcomeHint}
        allowDeselect={false}
        data={[
          { value: '', label: en.forms.welcomeOfAccount(settings?.welcome_template ?? null) },
          ...(templates ?? [])
            .filter(({ name }) => !CONFIRMING.includes(name))
            .map(({ name, subject }) => ({ value: name, label: `${name}: ${subject}` })),
          ...(isGone
            ? [{ value: draft.welcome_template ?? '', label: en.forms.welcomeGone(draft.welcome_template ?? '') }]
            : []),
        ]}
        value={draft.welcome_template ?? ''}
        error={faults.welcome_template}
        onChange={(template) => onChange({ welcome_template: template || null })}
      />
    </Panel>
  )
}
