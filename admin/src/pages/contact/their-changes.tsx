import { List } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useAccount } from '../../api/client.ts'
import { fieldsQuery, listsQuery } from '../../api/queries.ts'
import { shownValue } from '../../contacts/shown-value.ts'
import * as en from '../../strings/en.ts'
import type { Change } from './use-saving.ts'

/** What the values of a contact are called, and how they are told, where those of two people meet. */
export function useWording() {
  const account = useAccount()
  const { data: fields = [] } = useQuery(fieldsQuery(account))
  const { data: lists = [] } = useQuery(listsQuery(account))
  const listName = (id: unknown) => lists.find((list) => list.id === id)?.name ?? String(id)
  return {
    label: ({ name, isField }: Pick<Change, 'name' | 'isField'>) =>
      isField ? (fields.find(({ merge_tag }) => merge_tag === name)?.name ?? name) : en.contact.attributes[name],
    shown: ({ name, isField }: Pick<Change, 'name' | 'isField'>, value: unknown) => {
      if (!Array.isArray(value)) return shownValue(value) || en.contact.nothing
      const texts = !isField && name === 'list_ids' ? value.map(listName) : value
      return texts.join(', ') || en.contact.nothing
    },
  }
}

/** What someone else has changed, from what to what. */
export function TheirChanges({ changes }: { changes: readonly Change[] }) {
  const { label, shown } = useWording()
  return (
    <List size="sm">
      {changes.map((change) => (
        <List.Item key={change.name}>
          {label(change)}: {shown(change, change.from)} → {shown(change, change.to)}
        </List.Item>
      ))}
    </List>
  )
}
