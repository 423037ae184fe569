import { Paper, Select, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useAccount } from '../../api/client.ts'
import { type Contact, listsQuery } from '../../api/queries.ts'
import { Loaded } from '../../components/states.tsx'
import { Time } from '../../components/time.tsx'
import * as en from '../../strings/en.ts'
import { type Explained, ExplainedTree } from './explained-tree.tsx'

/** Whether a contact is in a list, and which of its conditions say so. */
export function Why({ contact }: { contact: Contact }) {
  const account = useAccount()
  const { data: lists = [] } = useQuery(listsQuery(account))
  const [chosen, setChosen] = useState<string | null>(null)
  const listId = chosen ?? (contact.smart_lists?.[0] === undefined ? null : String(contact.smart_lists[0]))
  const list = lists.find(({ id }) => String(id) === listId)
  const query = useQuery({
    queryKey: [account.id, 'contact', contact.id, 'why', listId],
    queryFn: ({ signal }) =>
      account.api.call('explainMember', { path: { list_id: listId!, contact: contact.id } }, { signal }),
    enabled: listId !== null,
  })
  return (
    <Stack>
      <Select
        maw={360}
        label={en.contact.whyList}
        searchable
        data={lists.map(({ id, name }) => ({ value: String(id), label: name }))}
        value={listId}
        onChange={setChosen}
      />
      {listId === null ? (
        <Text size="sm" c="dimmed">
          {en.contact.whyPick}
        </Text>
      ) : (
        <Loaded query={query}>
          {({ matches, changes_at: changesAt, explanation }) => (
            <Paper withBorder p="md" radius="md">
              <Text fw={600} mb="xs">
                {matches ? en.contact.isIn(list?.name ?? listId) : en.contact.isNotIn(list?.name ?? listId)}
              </Text>
              {changesAt && (
                <Text size="sm" c="dimmed" mb="xs" component="div">
                  {en.contact.changesAt} <Time at={changesAt} withClock />.
                </Text>
              )}
              <ExplainedTree part={explanation as unknown as Explained} />
            </Paper>
          )}
        </Loaded>
      )}
    </Stack>
  )
}
