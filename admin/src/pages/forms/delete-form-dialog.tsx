import { Stack, Text } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useAccount } from '../../api/client.ts'
import type { Form } from '../../api/queries.ts'
import { Confirm } from '../../components/confirm.tsx'
import { done } from '../../components/toast.tsx'
import * as en from '../../strings/en.ts'

export function DeleteFormDialog({ form, ...dialog }: { form: Form; opened: boolean; onClose: () => void }) {
  const { id: accountId, api } = useAccount()
  const client = useQueryClient()
  const navigate = useNavigate()
  const remove = async () => {
    await api.forms.delete(form.id)
    done(en.forms.deleted(form.name))
    await navigate({ to: '/accounts/$account/forms', params: { account: String(accountId) }, ignoreBlocker: true })
    client.removeQueries({ queryKey: [accountId, 'forms', form.id] })
    void client.invalidateQueries({ queryKey: [accountId, 'forms'] })
  }
  return (
    <Confirm {...dialog} title={en.forms.deleteTitle(form.name)} action={en.forms.delete} act={remove} isDangerous>
      <Stack gap="xs">
        <Text size="sm">{en.forms.deleteText}</Text>
        <Text size="sm">{en.forms.deleteStays}</Text>
        {form.active && <Text size="sm">{en.forms.deleteInstead}</Text>}
      </Stack>
    </Confirm>
  )
}
