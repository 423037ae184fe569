import { Checkbox, Select, Text } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useAccount } from '../../api/client.ts'
import type { Field } from '../../api/queries.ts'
import { DialogForm } from '../../components/dialog-form.tsx'
import { problemText } from '../../components/problem.ts'
import { Failed } from '../../components/states.tsx'
import { done } from '../../components/toast.tsx'
import { number } from '../../strings/en/common.ts'
import * as en from '../../strings/en.ts'
import { FIELD_TYPES } from './field-form.tsx'

/** Turns a field into another type, and says before how many of its values can be kept. */
export function ConvertForm({ field, onClose }: { field: Field; onClose: () => void }) {
  const { id: accountId, api } = useAccount()
  const [type, setType] = useState<string | null>(null)
  const [discard, setDiscard] = useState(false)
  const convert = (more: { dry_run?: boolean }, signal?: AbortSignal) =>
    api.call(
      'convertField',
      { path: { field_id: field.id }, body: { type: type!, discard, ...more } },
      signal ? { signal } : {},
    )
  const trial = useQuery({
    queryKey: [accountId, 'field-conversion', field.id, type],
    queryFn: ({ signal }) => convert({ dry_run: true }, signal),
    enabled: type !== null,
    gcTime: 0,
  })
  const run = useMutation({
    mutationFn: () => convert({}),
    onSuccess: () => {
      done(en.fields.convertBegun)
      onClose()
    },
  })
  const lost = trial.data?.not_convertible ?? 0
  return (
    <DialogForm
      act={run}
      problem={run.error ? problemText(run.error) : undefined}
      submit={en.fields.convert}
      isDisabled={!trial.data || (lost > 0 && !discard)}
      onClose={onClose}
    >
      <Select
        label={en.fields.convertTo}
        data={FIELD_TYPES.filter(({ value }) => value !== field.type)}
        value={type}
        onChange={setType}
      />
      {trial.error && <Failed error={trial.error} retry={() => void trial.refetch()} />}
      {trial.data && (
        <Text size="sm">
          {en.fields.convertCounts(number(trial.data.convertible), number(trial.data.not_convertible))}
        </Text>
      )}
      {trial.data?.examples.map(({ value, problem }) => (
        <Text key={String(value)} size="sm" c="dimmed">
          {String(value)}: {problem}
        </Text>
      ))}
      {lost > 0 && (
        <Checkbox
          label={en.fields.convertDiscard}
          checked={discard}
          onChange={(event) => setDiscard(event.currentTarget.checked)}
        />
      )}
    </DialogForm>
  )
}
