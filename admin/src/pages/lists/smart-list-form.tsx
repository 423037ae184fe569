import { Alert, Button, Group, Paper, Stack, Switch, Text, TextInput, Title } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useAccount } from '../../api/client.ts'
import type { List } from '../../api/queries.ts'
import { LeaveGuard } from '../../components/leave-guard.tsx'
import { faultsByInput } from '../../components/problem.ts'
import { done } from '../../components/toast.tsx'
import { CriteriaEditor, usePreview } from '../../criteria/criteria-editor.tsx'
import { type Node, read, write } from '../../criteria/tree.ts'
import * as en from '../../strings/en.ts'
import classes from './lists.module.css'

interface Props {
  /** The list whose criteria are changed; without it one is created. */
  list?: Pick<List, 'id' | 'name' | 'criteria'>
  /** What a new one begins with. */
  criteria?: unknown
}

/** Who is in a smart list: conditions, how many meet them, and a few of those. */
export function SmartListForm({ list, criteria }: Props) {
  const account = useAccount()
  const client = useQueryClient()
  const navigate = useNavigate()
  const [name, setName] = useState(list?.name ?? '')
  const [announce, setAnnounce] = useState(false)
  const [tree, setTree] = useState<Node>(() => read(list?.criteria ?? criteria ?? { all: [] }))
  const [saved, setSaved] = useState(tree)
  const [isLeaving, setLeaving] = useState(false)
  const preview = usePreview(tree)
  const save = useMutation({
    mutationFn: (sent: Node) => {
      const body = { criteria: write(sent), ...(announce ? { announce } : {}) }
      return list
        ? account.api.call('updateList', { path: { list_id: list.id }, body })
        : account.api.call('createList', { body: { ...body, name } })
    },
    onMutate: () => setLeaving(true),
    onError: () => setLeaving(false),
    onSuccess: (result, sent) => {
      setSaved(sent)
      setLeaving(!list)
      void client.invalidateQueries({ queryKey: [account.id, 'lists'] })
      void client.invalidateQueries({ queryKey: [account.id, 'contacts'] })
      done(list ? en.lists.saved : en.lists.created(name))
      if (!list)
        void navigate({
          to: '/accounts/$account/lists/$list',
          params: { account: String(account.id), list: String(result.id) },
        })
    },
  })
  const faults = save.error ? faultsByInput(save.error, ['name']) : {}
  const isDirty = tree !== saved
  const shown = preview.found ?? preview.before
  return (
    <form
      className={classes.split}
      onSubmit={(event) => {
        event.preventDefault()
        save.mutate(tree)
      }}
    >
      <Stack>
        {faults.base && (
          <Alert color="red" role="alert">
            {faults.base}
          </Alert>
        )}
        {!list && (
          <TextInput
            label={en.lists.name}
            required
            withAsterisk={false}
            maw={420}
            value={name}
            error={faults.name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
        )}
        <div>
          <Title order={2} size="h3" mb="xs">
            {en.lists.criteria}
          </Title>
          <CriteriaEditor tree={tree} onChange={setTree} preview={preview} />
        </div>
        {account.canWrite && (
          <Group justify="space-between">
            <Switch
              label={en.lists.announce}
              description={en.lists.announceHint}
              checked={announce}
              onChange={(event) => setAnnounce(event.currentTarget.checked)}
            />
            <Button
              type="submit"
              disabled={preview.error !== null || (list !== undefined && !isDirty)}
              loading={save.isPending}
            >
              {list ? en.lists.save : en.lists.create}
            </Button>
          </Group>
        )}
      </Stack>
      <Paper withBorder p="md" radius="md">
        <Title order={2} size="h3" mb="xs">
          {en.lists.sample}
        </Title>
        {shown === undefined || shown.sample.length === 0 ? (
          <Text size="sm" c="dimmed">
            {preview.found?.known === 'exactly' ? en.lists.sampleNone : '\u2026'}
          </Text>
        ) : (
          <ul className={classes.sample} aria-busy={shown === preview.before}>
            {shown.sample.slice(0, 8).map(({ id, email }) => (
              <li key={id}>{email}</li>
            ))}
          </ul>
        )}
      </Paper>
      <LeaveGuard isDirty={isDirty && !isLeaving} />
    </form>
  )
}
