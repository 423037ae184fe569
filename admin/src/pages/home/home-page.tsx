import { Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useAccount } from '../../api/client.ts'
import { contactsTotalQuery } from '../../api/queries.ts'
import { Page } from '../../components/page.tsx'
import { Loaded } from '../../components/states.tsx'
import { en } from '../../strings/en.ts'

export function HomePage() {
  const account = useAccount()
  const total = useQuery(contactsTotalQuery(account))
  return (
    <Page title={en.shell.pages.home}>
      <Loaded query={total}>{(contacts) => <Text>{en.common.contacts(contacts)}</Text>}</Loaded>
    </Page>
  )
}
