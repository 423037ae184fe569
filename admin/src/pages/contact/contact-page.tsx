import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useAccount } from '../../api/client.ts'
import { contactQuery } from '../../api/queries.ts'
import { Page } from '../../components/page.tsx'
import { Loaded } from '../../components/states.tsx'

const route = getRouteApi('/accounts/$account/contacts/$contact')

export function ContactPage() {
  const account = useAccount()
  const { contact: name } = route.useParams()
  const query = useQuery(contactQuery(account, name))
  return <Loaded query={query}>{(contact) => <Page title={contact.email}>{contact.state}</Page>}</Loaded>
}
