import { Alert, Button, Group, Modal, MultiSelect, Stack, Switch, TagsInput, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useAccount } from '../../api/client.ts'
import { fieldsQuery, listsQuery } from '../../api/queries.ts'
import { useFocusBack } from '../../components/focus-back.ts'
import { faultsByInput } from '../../components/problem.ts'
import { done } from '../../components/toast.tsx'
import { FieldInput } from '../../contacts/field-input.tsx'
import * as en from '../../strings/en.ts'

const FIRST_FIELDS = 4
const texts = en.contacts.createDialog

export function CreateDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  useFocusBack()
  return (
    <Modal opened={opened} onClose={onClose} title={texts.title} closeButtonProps={{ 'aria-label': en.common.close }}>
      <Form onClose={onClose} />
    </Modal>
  )
}

function Form({ onClose }: { onClose: () => void }) {
  const account = useAccount()
  const client = useQueryClient()
  const navigate = useNavigate()
  const { data: fields = [] } = useQuery(fieldsQuery(account))
  const { data: lists = [] } = useQuery(listsQuery(account))
  const [email, setEmail] = useState('')
  const [values, setValues] = useState<Record<string, unknown>>({})
  const [tags, setTags] = useState<string[]>([])
  const [listIds, setListIds] = useState<string[]>([])
  const [optIn, setOptIn] = useState(false)
  // Those that must be given, and otherwise the first few: the rest is for the page of the contact.
  const shown = fields.filter(({ required }, at) => required || at < FIRST_FIELDS)
  const create = useMutation({
    mutationFn: () => {
      const given = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null))
      return account.api.contacts.create({
        ...{ email, fields: given, tags, list_ids: listIds.map(Number) },
        ...(optIn ? { double_opt_in: true } : {}),
      })
    },
    onSuccess: (contact) => {
      void client.invalidateQueries({ queryKey: [account.id, 'contacts'] })
      onClose()
      done(texts.done(contact.email), {
        label: texts.open,
        act: () =>
          void navigate({
            to: '/accounts/$account/contacts/$contact',
            params: { account: String(account.id), contact: contact.id },
          }),
      })
    },
  })
  const faults = create.error
    ? faultsByInput(create.error, ['email', 'tags', 'list_ids', ...shown.map(({ merge_tag }) => merge_tag)])
    : {}

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        create.mutate()
      }}
    >
      <Stack gap="sm">
        {faults.base && (
          <Alert color="red" role="alert">
            {faults.base}
          </Alert>
        )}
        <TextInput
          label={texts.email}
          type="email"
          required
          data-autofocus
          value={email}
          error={faults.email}
          onChange={(event) => setEmail(event.currentTarget.value)}
        />
        {shown.map((field) => (
          <FieldInput
            key={field.id}
            field={field}
            label={field.name}
            value={values[field.merge_tag]}
            error={faults[field.merge_tag]}
            onChange={(value) => setValues((before) => ({ ...before, [field.merge_tag]: value }))}
          />
        ))}
        <TagsInput label={texts.tags} value={tags} onChange={setTags} error={faults.tags} acceptValueOnBlur />
        <MultiSelect
          label={texts.lists}
          searchable
          data={lists
            .filter(({ type }) => type === 'static')
            .map(({ id, name }) => ({ value: String(id), label: name }))}
          value={listIds}
          onChange={setListIds}
          error={faults.list_ids}
        />
        <Switch
          label={texts.optIn}
          description={texts.optInHint}
          checked={optIn}
          onChange={(event) => setOptIn(event.currentTarget.checked)}
        />
        <Group justify="flex-end" mt="xs">
          <Button variant="default" onClick={onClose}>
            {en.common.cancel}
          </Button>
          <Button type="submit" loading={create.isPending}>
            {texts.submit}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
