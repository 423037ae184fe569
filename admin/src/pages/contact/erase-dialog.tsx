import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useAccount } from '../../api/client.ts'
import type { Contact } from '../../api/queries.ts'
import { done, failed } from '../../components/toast.tsx'
import * as en from '../../strings/en.ts'

/** Nothing can take it back, and so the address is to be typed. */
export function EraseDialog({ contact, opened, onClose }: { contact: Contact; opened: boolean; onClose: () => void }) {
  const account = useAccount()
  const client = useQueryClient()
  const navigate = useNavigate()
  const [typed, setTyped] = useState('')
  const erase = useMutation({
    mutationFn: () => account.api.call('eraseContact', { path: { contact: contact.id } }),
    onError: (error) => failed(error),
    onSuccess: async ({ id }) => {
      done(en.contact.erased(id))
      await navigate({ to: '/accounts/$account/contacts', params: { account: String(account.id) } })
      client.removeQueries({ queryKey: [account.id] })
    },
  })
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={en.contact.eraseTitle}
      closeButtonProps={{ 'aria-label': en.common.close }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (typed.trim() === contact.email) erase.mutate()
        }}
      >
        <Stack>
          <Text size="sm">{en.contact.eraseText}</Text>
          <TextInput
            label={en.contact.eraseType(contact.email)}
            data-autofocus
            autoComplete="off"
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
          />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {en.common.cancel}
            </Button>
            <Button type="submit" color="red.8" disabled={typed.trim() !== contact.email} loading={erase.isPending}>
              {en.contact.eraseSubmit}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
