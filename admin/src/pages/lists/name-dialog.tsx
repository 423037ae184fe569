import { Modal, Textarea, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useAccount } from '../../api/client.ts'
import type { List } from '../../api/queries.ts'
import { DialogForm } from '../../components/dialog-form.tsx'
import { faultsByInput } from '../../components/problem.ts'
import { done } from '../../components/toast.tsx'
import * as en from '../../strings/en.ts'

interface Props {
  opened: boolean
  onClose: () => void
  /** The list that is renamed; without it one is created. */
  list?: Pick<List, 'id' | 'name' | 'description'>
}

export function NameDialog({ opened, onClose, list }: Props) {
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={list ? en.lists.rename : en.lists.newStatic}
      closeButtonProps={{ 'aria-label': en.common.close }}
    >
      <Form onClose={onClose} {...(list ? { list } : {})} />
    </Modal>
  )
}

function Form({ onClose, list }: Omit<Props, 'opened'>) {
  const account = useAccount()
  const client = useQueryClient()
  const navigate = useNavigate()
  const [name, setName] = useState(list?.name ?? '')
  const [description, setDescription] = useState(list?.description ?? '')
  const save = useMutation({
    mutationFn: () => {
      const body = { name, description: description || null }
      return list
        ? account.api.call('updateList', { path: { list_id: list.id }, body })
        : account.api.call('createList', { body })
    },
    onSuccess: (saved) => {
      void client.invalidateQueries({ queryKey: [account.id, 'lists'] })
      onClose()
      done(list ? en.lists.saved : en.lists.created(name))
      if (!list)
        void navigate({
          to: '/accounts/$account/lists/$list',
          params: { account: String(account.id), list: String(saved.id) },
        })
    },
  })
  const faults = save.error ? faultsByInput(save.error, ['name', 'description']) : {}
  return (
    <DialogForm act={save} problem={faults.base} submit={list ? en.lists.save : en.lists.create} onClose={onClose}>
      <TextInput
        label={en.lists.name}
        data-autofocus
        required
        value={name}
        error={faults.name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <Textarea
        label={en.lists.description}
        autosize
        minRows={2}
        value={description}
        error={faults.description}
        onChange={(event) => setDescription(event.currentTarget.value)}
      />
    </DialogForm>
  )
}
