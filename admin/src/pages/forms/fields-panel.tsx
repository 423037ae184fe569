import { ActionIcon, Button, Checkbox, Menu, Text, TextInput, Tooltip } from '@mantine/core'
import { ArrowDown, ArrowUp, Plus, X } from 'lucide-react'
import type { Field } from '../../api/queries.ts'
import { Panel } from '../../components/panel.tsx'
import * as en from '../../strings/en.ts'
import { type Asked, isEveryones } from './draft.ts'
import type { PartProps } from './form-editor.tsx'
import classes from './forms.module.css'

/** Which fields are asked for, in which order and words, and which of them must be filled. */
export function FieldsPanel({ draft, onChange, faults, fields }: PartProps & { fields: readonly Field[] }) {
  const asked = draft.fields
  const put = (next: Asked[]) => onChange({ fields: next })
  const others = fields.filter(({ merge_tag: tag }) => !asked.some(({ field }) => field === tag))
  const move = (at: number, by: -1 | 1) => {
    const next = [...asked]
    const [moved] = next.splice(at, 1)
    next.splice(at + by, 0, moved!)
    put(next)
  }
  return (
    <Panel title={en.forms.fields} about={en.forms.fieldsAbout}>
      {asked.length === 0 ? (
        <Text size="sm" c="dimmed">
          {en.forms.noFields}
        </Text>
      ) : (
        <ol className={classes.fields}>
          {asked.map((one, at) => (
            <AskedField
              key={one.field}
              asked={one}
              field={fields.find(({ merge_tag: tag }) => tag === one.field)}
              onChange={(change) => put(asked.map((other) => (other === one ? { ...one, ...change } : other)))}
              onRemove={() => put(asked.filter((other) => other !== one))}
              {...(at > 0 ? { onUp: () => move(at, -1) } : {})}
              {...(at < asked.length - 1 ? { onDown: () => move(at, 1) } : {})}
            />
          ))}
        </ol>
      )}
      {faults.fields && (
        <Text size="sm" c="var(--mantine-color-error)" role="alert">
          {faults.fields}
        </Text>
      )}
      <Menu position="bottom-start">
        <Menu.Target>
          <Button
            variant="default"
            size="xs"
            leftSection={<Plus size={14} />}
            disabled={others.length === 0}
            style={{ alignSelf: 'flex-start' }}
          >
            {others.length === 0 ? en.forms.allAsked : en.forms.addField}
          </Button>
        </Menu.Target>
        <Menu.Dropdown mah={320} style={{ overflowY: 'auto' }}>
          {others.map((field) => (
            <Menu.Item
              key={field.merge_tag}
              onClick={() => put([...asked, { field: field.merge_tag, label: '', required: isEveryones(field) }])}
            >
              {field.name}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
    </Panel>
  )
}

interface AskedFieldProps {
  asked: Asked
  /** Its definition, as far as it is there. */
  field: Field | undefined
  onChange: (change: Partial<Asked>) => void
  onRemove: () => void
  onUp?: () => void
  onDown?: () => void
}

function AskedField({ asked, field, onChange, onRemove, onUp, onDown }: AskedFieldProps) {
  const name = field?.name ?? asked.field
  const isForced = field?.required ?? false
  return (
    <li className={classes.field}>
      <TextInput
        label={name}
        aria-label={en.forms.labelOf(name)}
        placeholder={name}
        maxLength={255}
        value={asked.label}
        onChange={(event) => onChange({ label: event.currentTarget.value })}
      />
      <Tooltip label={en.forms.everyonesField} disabled={!isForced}>
        <Checkbox
          label={en.forms.required}
          aria-label={en.forms.requiredOf(name)}
          checked={asked.required || isForced}
          disabled={isForced}
          onChange={(event) => onChange({ required: event.currentTarget.checked })}
        />
      </Tooltip>
      <ActionIcon.Group>
        <ActionIcon variant="default" aria-label={en.forms.up(name)} disabled={!onUp} onClick={onUp}>
          <ArrowUp size={15} />
        </ActionIcon>
        <ActionIcon variant="default" aria-label={en.forms.down(name)} disabled={!onDown} onClick={onDown}>
          <ArrowDown size={15} />
        </ActionIcon>
        <ActionIcon
          variant="default"
          aria-label={en.forms.removeField(name)}
          disabled={field !== undefined && isEveryones(field)}
          onClick={onRemove}
        >
          <X size={15} />
        </ActionIcon>
      </ActionIcon.Group>
    </li>
  )
}
