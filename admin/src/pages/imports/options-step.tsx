import { Checkbox, MultiSelect, Radio, Select, Stack, TagsInput, Text, Textarea, TextInput } from '@mantine/core'
import type { ImportOptions } from '@rollcall/sdk'
import { useQuery } from '@tanstack/react-query'
import { useAccount } from '../../api/client.ts'
import { listsQuery } from '../../api/queries.ts'
import { Panel } from '../../components/panel.tsx'
import * as en from '../../strings/en.ts'
import classes from './imports.module.css'

export type Permission = keyof typeof en.imports.permissions
type DateOrder = keyof typeof en.imports.dateOrders

export interface Choices {
  /** Undefined until the user has chosen: nobody is given a permission by not looking. */
  permission: Permission | undefined
  source: string
  obtainedAt: string
  wording: string
  lists: string[]
  tags: string[]
  updateExisting: boolean
  clearEmpty: boolean
  skipInvalid: boolean
  matchBy: 'email' | 'external_id'
  dateOrder: DateOrder
  remember: boolean
}

export const FIRST_CHOICES: Choices = {
  permission: undefined,
  source: '',
  obtainedAt: '',
  wording: '',
  lists: [],
  tags: [],
  updateExisting: true,
  clearEmpty: false,
  skipInvalid: true,
  matchBy: 'email',
  dateOrder: 'found',
  remember: true,
}

/** What is still missing before the file can be sent. */
export function missingChoice({ permission, source }: Choices): 'permission' | 'source' | undefined {
  if (permission === undefined) return 'permission'
  return permission === 'subscribed' && source.trim() === '' ? 'source' : undefined
}

export function optionsOf(choices: Choices): ImportOptions {
  const { permission, source, obtainedAt, wording, dateOrder } = choices
  const consent = {
    source: source.trim(),
    ...(obtainedAt ? { obtained_at: obtainedAt } : {}),
    ...(wording.trim() ? { wording: wording.trim() } : {}),
  }
  return {
    ...(permission ? { state: permission } : {}),
    ...(permission === 'subscribed' ? { consent } : {}),
    list_ids: choices.lists.map(Number),
    tags: choices.tags,
    update_existing: choices.updateExisting,
    clear_empty: choices.clearEmpty,
    skip_invalid: choices.skipInvalid,
    match_by: choices.matchBy,
    ...(dateOrder === 'found' ? {} : { date_order: dateOrder }),
  }
}

interface OptionsStepProps {
  choices: Choices
  onChange: (choices: Choices) => void
  /** Whether the user has tried to go on: then what is missing is said. */
  isTold: boolean
  hasStateColumn: boolean
  hasExternalId: boolean
}

/** What the import does beside the values of the file, in plain words. */
export function OptionsStep({ choices, onChange, isTold, hasStateColumn, hasExternalId }: OptionsStepProps) {
  const lists = useQuery(listsQuery(useAccount()))
  const set = (part: Partial<Choices>) => onChange({ ...choices, ...part })
  const missing = isTold ? missingChoice(choices) : undefined
  const ownLists = (lists.data ?? []).filter(({ type }) => type === 'static')
  return (
    <Stack>
      <Panel
        title={en.imports.permission}
        about={hasStateColumn ? en.imports.permissionByRow : en.imports.permissionText}
      >
        <Radio.Group
          aria-label={en.imports.permission}
          value={choices.permission ?? null}
          onChange={(value) => set({ permission: value as Permission })}
          error={missing === 'permission' ? en.imports.chooseOne : undefined}
        >
          <Stack gap="sm" mb={4}>
            {Object.entries(en.imports.permissions).map(([value, [label, description]]) => (
              <Radio key={value} value={value} label={label} description={description} />
            ))}
          </Stack>
        </Radio.Group>
        {choices.permission === 'subscribed' && (
          <>
            <div className={classes.pair}>
              <TextInput
                label={en.imports.consentSource}
                description={en.imports.consentSourceHint}
                required
                maxLength={255}
                value={choices.source}
                error={missing === 'source' ? en.imports.sourceMissing : undefined}
                onChange={(event) => set({ source: event.currentTarget.value })}
              />
              <TextInput
                type="date"
                label={en.imports.consentWhen}
                description={en.imports.optional}
                value={choices.obtainedAt}
                onChange={(event) => set({ obtainedAt: event.currentTarget.value })}
              />
            </div>
            <Textarea
              label={en.imports.consentWording}
              description={en.imports.optional}
              maxLength={4000}
              autosize
              minRows={2}
              value={choices.wording}
              onChange={(event) => set({ wording: event.currentTarget.value })}
            />
          </>
        )}
      </Panel>
      <Panel>
        <div className={classes.pair}>
          <MultiSelect
            label={en.imports.joinLists}
            data={ownLists.map(({ id, name }) => ({ value: String(id), label: name }))}
            value={choices.lists}
            searchable
            onChange={(value) => set({ lists: value })}
          />
          <TagsInput label={en.imports.addTags} value={choices.tags} onChange={(value) => set({ tags: value })} />
        </div>
        <Radio.Group
          label={en.imports.existing}
          value={String(choices.updateExisting)}
          onChange={(value) => set({ updateExisting: value === 'true' })}
        >
          <Stack gap="xs" mt="xs">
            <Radio value="true" label={en.imports.existingUpdate} />
            <Radio value="false" label={en.imports.existingKeep} />
          </Stack>
        </Radio.Group>
        <Stack gap="xs">
          <Checkbox
            label={en.imports.invalidRows}
            checked={choices.skipInvalid}
            onChange={(event) => set({ skipInvalid: event.currentTarget.checked })}
          />
          <Checkbox
            label={en.imports.emptyCells}
            checked={choices.clearEmpty}
            disabled={!choices.updateExisting}
            onChange={(event) => set({ clearEmpty: event.currentTarget.checked })}
          />
          <Checkbox
            label={en.imports.remember}
            checked={choices.remember}
            onChange={(event) => set({ remember: event.currentTarget.checked })}
          />
        </Stack>
        <div className={classes.pair}>
          <Select
            label={en.imports.dateOrder}
            data={Object.entries(en.imports.dateOrders).map(([value, label]) => ({ value, label }))}
            value={choices.dateOrder}
            allowDeselect={false}
            onChange={(value) => value && set({ dateOrder: value as DateOrder })}
          />
          {hasExternalId && (
            <Select
              label={en.imports.matchBy}
              data={[
                { value: 'email', label: en.imports.matchByEmail },
                { value: 'external_id', label: en.imports.matchByExternal },
              ]}
              value={choices.matchBy}
              allowDeselect={false}
              onChange={(value) => value && set({ matchBy: value as Choices['matchBy'] })}
            />
          )}
        </div>
      </Panel>
      {lists.error && <Text c="var(--mantine-color-error)">{en.common.loadFailed}</Text>}
    </Stack>
  )
}
