import { NumberInput, Select, TextInput } from '@mantine/core'
import type { ReactNode } from 'react'
import type { Field } from '../api/queries.ts'
import * as en from '../strings/en.ts'

interface Props {
  field: Field
  value: unknown
  /** null: unset. */
  onChange: (value: unknown) => void
  label?: ReactNode
  error?: ReactNode
  'aria-label'?: string
  autoFocus?: boolean
  readOnly?: boolean
}

/** The input for a field's value, by the field's type. */
export function FieldInput({ field, value, onChange, ...props }: Props) {
  const text = value === undefined || value === null ? '' : String(value)
  switch (field.type) {
    case 'integer':
    case 'number':
      return (
        <NumberInput
          {...props}
          allowDecimal={field.type === 'number'}
          value={typeof value === 'number' ? value : text}
          onChange={(next) => onChange(next === '' ? null : next)}
        />
      )
    case 'select':
      return (
        <Select {...props} searchable clearable data={field.options ?? []} value={text || null} onChange={onChange} />
      )
    case 'boolean':
      return (
        <Select
          {...props}
          clearable
          data={[
            { value: 'true', label: en.common.yes },
            { value: 'false', label: en.common.no },
          ]}
          value={text || null}
          onChange={(next) => onChange(next === null ? null : next === 'true')}
        />
      )
    case 'date':
      return (
        <TextInput
          {...props}
          type="date"
          value={text}
          onChange={(event) => onChange(event.currentTarget.value || null)}
        />
      )
    case 'text':
      return <TextInput {...props} value={text} onChange={(event) => onChange(event.currentTarget.value || null)} />
  }
}
