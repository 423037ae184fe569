import { Alert, Button, Group, Modal, Stack, Text } from '@mantine/core'
import { PreconditionFailedError } from '@rollcall/sdk'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useAccount } from '../../api/client.ts'
import type { Contact } from '../../api/queries.ts'
import { done, failed } from '../../components/toast.tsx'
import * as en from '../../strings/en.ts'
import { TheirChanges } from './their-changes.tsx'
import { type Change, changesOf, draftOf } from './use-saving.ts'

export function DeleteDialog({ contact, opened, onClose }: { contact: Contact; opened: boolean; onClose: () => void }) {
  const account = useAccount()
  const client = useQueryClient()
  const navigate = useNavigate()
  const [theirs, setTheirs] = useState<Change[]>()
  const remove = useMutation({
    mutationFn: () => account.api.contacts.delete(contact.id, { ifMatch: contact.version }),
    onError: (error) => {
      if (!(error instanceof PreconditionFailedError && error.contact)) return failed(error)
      setTheirs(changesOf(draftOf(contact), draftOf(error.contact)))
      void client.invalidateQueries({ queryKey: [account.id, 'contact', contact.id] })
    },
    onSuccess: async () => {
      done(en.contact.deleted(contact.email))
      await navigate({ to: '/accounts/$account/contacts', params: { account: String(account.id) } })
      client.removeQueries({ queryKey: [account.id, 'contact', contact.id] })
      void client.invalidateQueries({ queryKey: [account.id] })
    },
  })
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={en.contact.deleteTitle}
      closeButtonProps={{ 'aria-label': en.common.close }}
    >
      <Stack>
        <Text fw={600}>{contact.email}</Text>
        <Text size="sm">{en.contact.deleteText}</Text>
        {theirs && (
          <Alert color="yellow" role="alert" title={en.contact.changedMeanwhile}>
            <TheirChanges changes={theirs} />
          </Alert>
        )}
        <Group justify="flex-end">
          <Button variant="default" data-autofocus onClick={onClose}>
            {en.common.cancel}
          </Button>
          <Button color="red.8" loading={remove.isPending} onClick={() => remove.mutate()}>
            {en.contact.delete}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
