import { Button, Group, Modal, Stack, Text } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useAccount } from '../../api/client.ts'
import type { ListDetail } from '../../api/queries.ts'
import { done, failed } from '../../components/toast.tsx'
import { en } from '../../strings/en.ts'

interface Props {
  list: ListDetail
  opened: boolean
  onClose: () => void
}

export function ConvertDialog({ list, opened, onClose }: Props) {
  const account = useAccount()
  const client = useQueryClient()
  const convert = useMutation({
    mutationFn: () => account.api.call('convertList', { path: { list_id: list.id } }),
    onError: (error) => failed(error),
    onSuccess: ({ added, already_members: already }) => {
      void client.invalidateQueries({ queryKey: [account.id] })
      onClose()
      done(en.lists.converted(added + already))
    },
  })
  return (
    <Confirm
      {...{ opened, onClose, title: en.lists.convertTitle, text: en.lists.convertText(list.contacts_count), submit: en.lists.convertSubmit }}
      busy={convert.isPending}
      onSubmit={() => convert.mutate()}
    />
  )
}

export function DeleteListDialog({ list, opened, onClose }: Props) {
  const account = useAccount()
  const client = useQueryClient()
  const navigate = useNavigate()
  const remove = useMutation({
    mutationFn: () => account.api.call('deleteList', { path: { list_id: list.id } }),
    // A list that others use is not deleted: the answer names them.
    onError: (error) => failed(error),
    onSuccess: async () => {
      done(en.lists.deleted(list.name))
      await navigate({ to: '/accounts/$account/lists', params: { account: String(account.id) } })
      client.removeQueries({ queryKey: [account.id, 'lists', list.id] })
      void client.invalidateQueries({ queryKey: [account.id] })
    },
  })
  return (
    <Confirm
      {...{ opened, onClose, title: en.lists.deleteTitle, text: en.lists.deleteText(list.contacts_count), submit: en.lists.delete }}
      busy={remove.isPending}
      onSubmit={() => remove.mutate()}
    />
  )
}

interface ConfirmProps {
  opened: boolean
  onClose: () => void
  title: string
  text: string
  submit: string
  busy: boolean
  onSubmit: () => void
}

function Confirm({ opened, onClose, title, text, submit, busy, onSubmit }: ConfirmProps) {
  return (
    <Modal opened={opened} onClose={onClose} title={title} closeButtonProps={{ 'aria-label': en.common.close }}>
      <Stack>
        <Text size="sm">{text}</Text>
        <Group justify="flex-end">
          <Button variant="default" data-autofocus onClick={onClose}>
            {en.common.cancel}
          </Button>
          <Button color="red" loading={busy} onClick={onSubmit}>
            {submit}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
