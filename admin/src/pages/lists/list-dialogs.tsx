import { Text } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useAccount } from '../../api/client.ts'
import { type ListDetail, listQuery } from '../../api/queries.ts'
import { Confirm } from '../../components/confirm.tsx'
import { done } from '../../components/toast.tsx'
import * as en from '../../strings/en.ts'

interface Props {
  list: ListDetail
  opened: boolean
  onClose: () => void
}

/** How many are in a list, counted anew when a dialog tells it: what the page has may be a while old. */
function useCount(list: ListDetail, isTold: boolean): number {
  const { data: now = list } = useQuery({ ...listQuery(useAccount(), list.id), enabled: isTold, staleTime: 0 })
  return now.contacts_count
}

export function ConvertDialog({ list, ...dialog }: Props) {
  const account = useAccount()
  const count = useCount(list, dialog.opened)
  const client = useQueryClient()
  const convert = async () => {
    const { added, already_members: already } = await account.api.call('convertList', { path: { list_id: list.id } })
    void client.invalidateQueries({ queryKey: [account.id] })
    done(en.lists.converted(added + already))
  }
  return (
    <Confirm {...dialog} title={en.lists.convertTitle} action={en.lists.convertSubmit} act={convert} isDangerous>
      <Text size="sm">{en.lists.convertText(count)}</Text>
    </Confirm>
  )
}

/** A list that others use is not deleted: the answer, which the dialog shows, names them. */
export function DeleteListDialog({ list, ...dialog }: Props) {
  const account = useAccount()
  const count = useCount(list, dialog.opened)
  const client = useQueryClient()
  const navigate = useNavigate()
  const remove = async () => {
    await account.api.call('deleteList', { path: { list_id: list.id } })
    done(en.lists.deleted(list.name))
    await navigate({ to: '/accounts/$account/lists', params: { account: String(account.id) } })
    client.removeQueries({ queryKey: [account.id, 'lists', list.id] })
    void client.invalidateQueries({ queryKey: [account.id] })
  }
  return (
    <Confirm {...dialog} title={en.lists.deleteTitle} action={en.lists.delete} act={remove} isDangerous>
      <Text size="sm">{en.lists.deleteText(count)}</Text>
    </Confirm>
  )
}
