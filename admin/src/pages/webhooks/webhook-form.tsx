import { Checkbox, TagsInput, TextInput } from '@mantine/core'
import type { Body } from '@rollcall/sdk'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useAccount } from '../../api/client.ts'
import { DialogForm } from '../../components/dialog-form.tsx'
import { faultsByInput } from '../../components/problem.ts'
import * as en from '../../strings/en.ts'

type Types = NonNullable<Body<'createWebhook'>['types']>

/** Makes a webhook, and hands on its secret. */
export function WebhookForm({ onClose, onMade }: { onClose: () => void; onMade: (secret: string) => void }) {
  const { api } = useAccount()
  const [url, setUrl] = useState('')
  const [description, setDescription] = useState('')
  const [types, setTypes] = useState<string[]>([])
  const [each, setEach] = useState(false)
  const create = useMutation({
    mutationFn: () =>
      api.call('createWebhook', {
        body: { url, description: description || null, types: types.length > 0 ? (types as Types) : null, each },
      }),
    onSuccess: ({ secret }) => onMade(secret),
  })
  const faults = create.error ? faultsByInput(create.error, ['url', 'types']) : {}
  return (
    <DialogForm act={create} problem={faults.base} submit={en.webhooks.create} onClose={onClose}>
      <TextInput
        label={en.webhooks.url}
        placeholder={en.webhooks.urlHint}
        data-autofocus
        required
        withAsterisk={false}
        value={url}
        error={faults.url}
        onChange={(event) => setUrl(event.currentTarget.value)}
      />
      <TextInput
        label={en.webhooks.description}
        value={description}
        onChange={(event) => setDescription(event.currentTarget.value)}
      />
      <TagsInput
        label={en.webhooks.types}
        description={en.webhooks.typesHint}
        data={['created', 'updated', 'deleted', 'subscribed', 'unsubscribed', 'list_entered', 'list_left']}
        value={types}
        error={faults.types}
        onChange={setTypes}
      />
      <Checkbox label={en.webhooks.each} checked={each} onChange={(event) => setEach(event.currentTarget.checked)} />
    </DialogForm>
  )
}
