import { Alert, Modal, Text } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useAccount } from '../../api/client.ts'
import type { Template } from '../../api/queries.ts'
import { DialogForm } from '../../components/dialog-form.tsx'
import { faultsByInput } from '../../components/problem.ts'
import { done } from '../../components/toast.tsx'
import { ContactSelect } from '../../contacts/contact-select.tsx'
import * as en from '../../strings/en.ts'

interface Props {
  template: Template
  isDirty: boolean
  opened: boolean
  onClose: () => void
}

/** Mails a template to one person, as it is saved. */
export function SendDialog({ opened, onClose, ...rest }: Props) {
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={en.templates.sendTitle(rest.template.name)}
      closeButtonProps={{ 'aria-label': en.common.close }}
    >
      <Form onClose={onClose} {...rest} />
    </Modal>
  )
}

function Form({ template, isDirty, onClose }: Omit<Props, 'opened'>) {
  const { id: accountId, api } = useAccount()
  const client = useQueryClient()
  const navigate = useNavigate()
  const [contact, setContact] = useState<string | null>(null)
  const send = useMutation({
    mutationFn: () => api.mail.send(template.name, { contact_id: contact! }),
    onSuccess: ({ message_id: message }) => {
      void client.invalidateQueries({ queryKey: [accountId, 'messages'] })
      onClose()
      done(en.templates.sent, {
        label: en.templates.sentLook,
        act: () =>
          void navigate({
            to: '/accounts/$account/outbox/$message',
            params: { account: String(accountId), message },
          }),
      })
    },
  })
  const faults = send.error ? faultsByInput(send.error, ['contact_id']) : {}
  return (
    <DialogForm
      act={send}
      problem={faults.base}
      submit={en.templates.sendSubmit}
      isDisabled={contact === null}
      onClose={onClose}
    >
      <Text size="sm">{en.templates.sendText}</Text>
      {isDirty && <Alert color="yellow">{en.templates.sendUnsaved}</Alert>}
      <ContactSelect
        label={en.templates.sendTo}
        value={contact}
        error={faults.contact_id}
        onChange={(chosen) => {
          send.reset()
          setContact(chosen)
        }}
      />
    </DialogForm>
  )
}
