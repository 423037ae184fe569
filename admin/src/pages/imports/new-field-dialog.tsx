import { Modal, Select, Text, TextInput } from '@mantine/core'
import type { Field } from '@rollcall/sdk'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useAccount } from '../../api/client.ts'
import { DialogForm } from '../../components/dialog-form.tsx'
import { problemText } from '../../components/problem.ts'
import * as en from '../../strings/en.ts'
import type { PreviewColumn } from './new-import.ts'

interface NewFieldDialogProps {
  /** For which the field is made; undefined: closed. */
  column: PreviewColumn | undefined
  onClose: () => void
  onCreated: (column: string, mergeTag: string) => void
}

/** Makes a field for a column, with the type that its values look like. */
export function NewFieldDialog({ column, onClose, onCreated }: NewFieldDialogProps) {
  return (
    <Modal
      opened={column !== undefined}
      onClose={onClose}
      title={en.imports.createField}
      closeButtonProps={{ 'aria-label': en.common.close }}
    >
      {column && <FieldForm key={column.name} column={column} onClose={onClose} onCreated={onCreated} />}
    </Modal>
  )
}

function FieldForm({ column, onClose, onCreated }: NewFieldDialogProps & { column: PreviewColumn }) {
  const account = useAccount()
  const client = useQueryClient()
  const [name, setName] = useState(column.name)
  const [type, setType] = useState<Field['type']>(typeFor(column.kind))
  const create = useMutation({
    mutationFn: () =>
      account.api.call('createField', {
        body: { name, type, ...(type === 'select' ? { options: [...new Set(column.samples)] } : {}) },
      }),
    onSuccess: async ({ merge_tag }) => {
      await client.invalidateQueries({ queryKey: [account.id, 'fields'] })
      onCreated(column.name, merge_tag)
      onClose()
    },
  })
  return (
    <DialogForm
      act={create}
      problem={create.error ? problemText(create.error) : undefined}
      submit={en.imports.createField}
      onClose={onClose}
    >
      <Text size="sm" c="dimmed">
        {en.imports.createFieldText}
      </Text>
      <TextInput
        data-autofocus
        label={en.imports.fieldName}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <Select
        label={en.imports.fieldType}
        data={Object.entries(en.imports.fieldTypes).map(([value, label]) => ({ value, label }))}
        value={type}
        allowDeselect={false}
        onChange={(value) => value && setType(value as Field['type'])}
      />
    </DialogForm>
  )
}

function typeFor(kind: string | null): Field['type'] {
  return kind === 'integer' || kind === 'number' || kind === 'date' || kind === 'boolean' ? kind : 'text'
}
