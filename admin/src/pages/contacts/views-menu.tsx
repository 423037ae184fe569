import { ActionIcon, Button, Group, Menu, Modal, Switch, Text, TextInput } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import type { Answer } from '@rollcall/sdk'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Bookmark, X } from 'lucide-react'
import { useState } from 'react'
import { useAccount } from '../../api/client.ts'
import { viewsQuery } from '../../api/queries.ts'
import { DialogForm } from '../../components/dialog-form.tsx'
import { faultsByInput } from '../../components/problem.ts'
import { done, failed } from '../../components/toast.tsx'
import * as en from '../../strings/en.ts'

type View = Answer<'getView'>
const texts = en.contacts.views

/** What is on the screen, as a view keeps it. */
interface Shown {
  q: string | undefined
  criteria: unknown
  sort: string | undefined
  columns: string[]
}

/** Searches with their filter, order and columns, kept under a name: one's own and everybody's. */
export function ViewsMenu({ shown, onOpen }: { shown: Shown; onOpen: (view: View) => void }) {
  const account = useAccount()
  const client = useQueryClient()
  const { data: views = [] } = useQuery(viewsQuery(account))
  const [isSaveOpen, save] = useDisclosure(false)
  const remove = useMutation({
    mutationFn: (view: View) => account.api.call('deleteView', { path: { id: view.id } }),
    onError: (error) => failed(error),
    onSuccess: (_, { name }) => {
      void client.invalidateQueries({ queryKey: [account.id, 'views'] })
      done(texts.removed(name))
    },
  })
  const groups: [string, readonly View[]][] = [
    [texts.mine, views.filter(({ shared }) => !shared)],
    [texts.shared, views.filter(({ shared }) => shared)],
  ]
  return (
    <>
      <Menu position="bottom-end" width={260}>
        <Menu.Target>
          <Button variant="default" leftSection={<Bookmark size={15} />}>
            {texts.title}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {views.length === 0 && (
            <Text size="sm" c="dimmed" p="xs">
              {texts.none}
            </Text>
          )}
          {groups.map(
            ([label, of]) =>
              of.length > 0 && (
                <div key={label}>
                  <Menu.Label>{label}</Menu.Label>
                  {of.map((view) => (
                    <Group key={view.id} gap={0} wrap="nowrap">
                      <Menu.Item onClick={() => onOpen(view)}>{view.name}</Menu.Item>
                      {account.canWrite && (
                        <ActionIcon
                          variant="subtle"
                          color="gray"
                          aria-label={texts.remove(view.name)}
                          onClick={() => remove.mutate(view)}
                        >
                          <X size={14} />
                        </ActionIcon>
                      )}
                    </Group>
                  ))}
                </div>
              ),
          )}
          {account.canWrite && (
            <>
              <Menu.Divider />
              <Menu.Item onClick={save.open}>{texts.save}</Menu.Item>
            </>
          )}
        </Menu.Dropdown>
      </Menu>
      <Modal
        opened={isSaveOpen}
        onClose={save.close}
        title={texts.saveTitle}
        closeButtonProps={{ 'aria-label': en.common.close }}
      >
        <SaveForm shown={shown} onClose={save.close} />
      </Modal>
    </>
  )
}

function SaveForm({ shown, onClose }: { shown: Shown; onClose: () => void }) {
  const account = useAccount()
  const client = useQueryClient()
  const [name, setName] = useState('')
  const [isShared, setShared] = useState(false)
  const create = useMutation({
    mutationFn: () => {
      const { q, criteria, sort, columns } = shown
      return account.api.call('createView', {
        body: { name, shared: isShared, q: q ?? null, criteria: criteria ?? null, sort: sort ?? null, columns },
      })
    },
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: [account.id, 'views'] })
      onClose()
      done(texts.saved(name))
    },
  })
  const faults = create.error ? faultsByInput(create.error, ['name']) : {}
  return (
    <DialogForm act={create} problem={faults.base} submit={en.common.save} onClose={onClose}>
      <Text size="sm">{texts.saveText}</Text>
      <TextInput
        label={texts.name}
        data-autofocus
        required
        withAsterisk={false}
        value={name}
        error={faults.name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <Switch label={texts.share} checked={isShared} onChange={(event) => setShared(event.currentTarget.checked)} />
    </DialogForm>
  )
}
