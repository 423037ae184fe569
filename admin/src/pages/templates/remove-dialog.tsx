import { Stack, Text } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useAccount } from '../../api/client.ts'
import { type Template, templateQuery, templateUsageQuery } from '../../api/queries.ts'
import { Confirm } from '../../components/confirm.tsx'
import { Loaded } from '../../components/states.tsx'
import { done } from '../../components/toast.tsx'
import * as en from '../../strings/en.ts'

interface Props {
  template: Template
  opened: boolean
  onClose: () => void
  /** A built-in template is as it came. */
  onReset: () => void
}

/** Deletes a template, or takes a built-in one back to how it came: what would come of that is said first. */
export function RemoveDialog({ template, opened, onClose, onReset }: Props) {
  const { name, built_in: isBuiltIn } = template
  const account = useAccount()
  const client = useQueryClient()
  const navigate = useNavigate()
  const versions = useQuery({
    queryKey: [account.id, 'templates', name, 'versions', 'total'],
    queryFn: async ({ signal }) => (await account.api.mail.versions(name, { per_page: 1 }, { signal })).total,
    enabled: opened,
  })
  const remove = async () => {
    await account.api.mail.deleteTemplate(name)
    if (isBuiltIn) {
      await client.invalidateQueries({ queryKey: templateQuery(account, name).queryKey })
      onReset()
      done(en.templates.resetDone(name))
    } else {
      done(en.templates.deleted(name))
      const params = { account: String(account.id) }
      await navigate({ to: '/accounts/$account/templates', params, ignoreBlocker: true })
      client.removeQueries({ queryKey: templateQuery(account, name).queryKey })
    }
    void client.invalidateQueries({ queryKey: [account.id, 'templates'], exact: true })
  }
  return (
    <Confirm
      opened={opened}
      onClose={onClose}
      title={isBuiltIn ? en.templates.resetTitle(name) : en.templates.deleteTitle(name)}
      action={isBuiltIn ? en.templates.reset : en.templates.delete}
      isDangerous
      disabled={versions.data === undefined}
      act={remove}
    >
      <Loaded query={versions} loading={<Text size="sm">{en.common.loading}</Text>}>
        {(total) =>
          isBuiltIn ? <Text size="sm">{en.templates.resetText(total)}</Text> : <Losses name={name} versions={total} />
        }
      </Loaded>
    </Confirm>
  )
}

/** What goes with a template of the account's own. */
function Losses({ name, versions }: { name: string; versions: number }) {
  // Asked anew: what the page has read may have changed since.
  const { data: users = [] } = useQuery({ ...templateUsageQuery(useAccount(), name), staleTime: 0 })
  const welcoming = users.filter(({ kind }) => kind === 'form')
  return (
    <Stack gap="xs">
      <Text size="sm">{en.templates.deleteText(versions)}</Text>
      {welcoming.length > 0 && <Text size="sm">{en.templates.welcomesForms(welcoming.map((form) => form.name))}</Text>}
      {users.some(({ kind }) => kind === 'account') && <Text size="sm">{en.templates.welcomesAccount}</Text>}
      <Text size="sm">{en.templates.deletePrograms}</Text>
    </Stack>
  )
}
