import { Select, TagsInput, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useAccount } from '../../api/client.ts'
import type { Field } from '../../api/queries.ts'
import { DialogForm } from '../../components/dialog-form.tsx'
import { faultsByInput } from '../../components/problem.ts'
import { done } from '../../components/toast.tsx'
import * as en from '../../strings/en.ts'

export const FIELD_TYPES = Object.entries(en.imports.fieldTypes).map(([value, label]) => ({ value, label }))

/** Defines a field. */
export function FieldForm({ onClose }: { onClose: () => void }) {
  const { api } = useAccount()
  const [name, setName] = useState('')
  const [type, setType] = useState<Field['type']>('text')
  const [options, setOptions] = useState<string[]>([])
  const create = useMutation({
    mutationFn: () => api.call('createField', { body: { name, type, ...(type === 'select' ? { options } : {}) } }),
    onSuccess: (field) => {
      done(en.fields.created(field.name))
      onClose()
    },
  })
  const faults = create.error ? faultsByInput(create.error, ['name', 'options']) : {}
  return (
    <DialogForm act={create} problem={faults.base} submit={en.fields.create} onClose={onClose}>
      <TextInput
        label={en.fields.name}
        data-autofocus
        required
        withAsterisk={false}
        value={name}
        error={faults.name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <Select
        label={en.fields.type}
        data={FIELD_TYPES}
        value={type}
        allowDeselect={false}
        onChange={(value) => value && setType(value as Field['type'])}
      />
      {type === 'select' && (
        <TagsInput
          label={en.fields.options}
          description={en.fields.optionsHint}
          value={options}
          error={faults.options}
          onChange={setOptions}
        />
      )}
    </DialogForm>
  )
}
