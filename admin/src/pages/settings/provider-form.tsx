import { Checkbox, Select, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useAccount } from '../../api/client.ts'
import { DialogForm } from '../../components/dialog-form.tsx'
import { faultsByInput } from '../../components/problem.ts'
import * as en from '../../strings/en.ts'
import type { Hook } from './providers-panel.tsx'

interface Props {
  /** Which is changed; without it one is made. */
  hook?: Hook
  onClose: () => void
  /** `url`: of a new one, shown this once. */
  onDone: (url?: string) => void
}

/** Makes a hook, or says of one how it is called and what its provider signs with. */
export function ProviderForm({ hook, onClose, onDone }: Props) {
  const { api } = useAccount()
  const [provider, setProvider] = useState<Hook['provider']>(hook?.provider ?? 'mailtrap')
  const [name, setName] = useState(hook?.name ?? '')
  const [secret, setSecret] = useState('')
  const [isUnsigned, setUnsigned] = useState(false)
  const [topic, setTopic] = useState(hook?.topic_arn ?? '')
  const given = {
    name: name || null,
    ...(isUnsigned ? { signing_secret: null } : secret ? { signing_secret: secret } : {}),
    ...(provider === 'ses' ? { topic_arn: topic || null } : {}),
  }
  const save = useMutation({
    mutationFn: async () => {
      if (!hook) return (await api.call('createProviderHook', { body: { provider, ...given } })).url
      await api.call('updateProviderHook', { path: { id: hook.id }, body: given })
    },
    onSuccess: onDone,
  })
  const faults = save.error ? faultsByInput(save.error, ['name', 'signing_secret', 'topic_arn']) : {}
  return (
    <DialogForm act={save} problem={faults.base} submit={hook ? en.common.save : en.providers.create} onClose={onClose}>
      {!hook && (
        <Select
          label={en.providers.provider}
          description={en.providers.providerHints[provider]}
          data={Object.entries(en.providers.providers).map(([value, label]) => ({ value, label }))}
          value={provider}
          allowDeselect={false}
          onChange={(value) => value && setProvider(value as Hook['provider'])}
        />
      )}
      <TextInput
        label={en.providers.name}
        description={en.providers.nameHint}
        data-autofocus
        value={name}
        error={faults.name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      {provider === 'ses' ? (
        <TextInput
          label={en.providers.topic}
          description={en.providers.topicHint}
          placeholder="arn:aws:sns:…"
          value={topic}
          error={faults.topic_arn}
          onChange={(event) => setTopic(event.currentTarget.value)}
        />
      ) : (
        <TextInput
          label={en.providers.secret}
          description={en.providers.secretHint}
          placeholder={hook?.is_verified ? en.providers.secretKept : ''}
          autoComplete="off"
          value={secret}
          error={faults.signing_secret}
          disabled={isUnsigned}
          onChange={(event) => setSecret(event.currentTarget.value)}
        />
      )}
      {hook?.is_verified && provider !== 'ses' && (
        <Checkbox
          label={en.providers.unsigned}
          checked={isUnsigned}
          onChange={(event) => setUnsigned(event.currentTarget.checked)}
        />
      )}
    </DialogForm>
  )
}
