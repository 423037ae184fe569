import { Button, Group, Menu, Tabs } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { ArrowLeft, Download, Ellipsis, Printer, ShieldX, Trash2 } from 'lucide-react'
import { useAccount } from '../../api/client.ts'
import { type Contact, contactQuery } from '../../api/queries.ts'
import { Page } from '../../components/page.tsx'
import { Loaded, Loading } from '../../components/states.tsx'
import { TabList } from '../../components/tab-list.tsx'
import { TextLink } from '../../components/text-link.tsx'
import * as en from '../../strings/en.ts'
import { Consents } from './consents.tsx'
import classes from './contact.module.css'
import { DeleteDialog } from './delete-dialog.tsx'
import { EraseDialog } from './erase-dialog.tsx'
import { Profile } from './profile.tsx'
import { Standing } from './standing.tsx'
import { Timeline } from './timeline.tsx'
import { Why } from './why.tsx'

const route = getRouteApi('/accounts/$account/contacts/$contact')
const TABS = ['profile', 'timeline', 'consents', 'why'] as const

export function ContactPage() {
  const account = useAccount()
  const { contact: name } = route.useParams()
  const { tab = 'profile' } = route.useSearch()
  const navigate = route.useNavigate()
  const query = useQuery(contactQuery(account, name))
  const title = query.data?.email ?? en.contacts.title
  return (
    <Page
      title={title}
      about={
        <TextLink size="sm" to="/accounts/$account/contacts" params={{ account: String(account.id) }}>
          <Group gap={4}>
            <ArrowLeft size={14} aria-hidden />
            {en.contact.back}
          </Group>
        </TextLink>
      }
      actions={query.data && <Actions contact={query.data} />}
    >
      <Loaded query={query} loading={<Loading />}>
        {(contact) => (
          <div className={classes.columns}>
            <Tabs
              className={classes.main}
              value={tab}
              keepMounted={false}
              onChange={(next) =>
                void navigate({
                  search: next === 'profile' ? {} : { tab: next as (typeof TABS)[number] },
                  replace: true,
                })
              }
            >
              <TabList open={tab} mb="md">
                {TABS.map((key) => (
                  <Tabs.Tab key={key} value={key}>
                    {en.contact.tabs[key]}
                  </Tabs.Tab>
                ))}
              </TabList>
              <Tabs.Panel value="profile" keepMounted>
                <Profile key={contact.id} contact={contact} />
              </Tabs.Panel>
              <Tabs.Panel value="timeline">
                <Timeline contact={contact} />
              </Tabs.Panel>
              <Tabs.Panel value="consents">
                <Consents contact={contact} />
              </Tabs.Panel>
              <Tabs.Panel value="why">
                <Why contact={contact} />
              </Tabs.Panel>
            </Tabs>
            <Standing contact={contact} />
          </div>
        )}
      </Loaded>
    </Page>
  )
}

function Actions({ contact }: { contact: Contact }) {
  const account = useAccount()
  const [isDeleteOpen, remove] = useDisclosure(false)
  const [isEraseOpen, erase] = useDisclosure(false)
  const base = `/api/accounts/${account.id}/contacts/${contact.id}`
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button variant="default" leftSection={<Ellipsis size={16} />}>
            {en.contact.actions}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item component="a" href={`${base}/export`} download leftSection={<Download size={15} />}>
            {en.contact.exportJson}
          </Menu.Item>
          <Menu.Item component="a" href={`${base}/export?format=zip`} download leftSection={<Download size={15} />}>
            {en.contact.exportZip}
          </Menu.Item>
          <Menu.Item component="a" href={`${base}/consents.html`} target="_blank" leftSection={<Printer size={15} />}>
            {en.contact.printConsents}
          </Menu.Item>
          {account.canWrite && (
            <>
              <Menu.Divider />
              <Menu.Item c="var(--mantine-color-error)" leftSection={<Trash2 size={15} />} onClick={remove.open}>
                {en.contact.delete}
              </Menu.Item>
            </>
          )}
          {account.canAdminister && (
            <Menu.Item c="var(--mantine-color-error)" leftSection={<ShieldX size={15} />} onClick={erase.open}>
              {en.contact.erase}
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      <DeleteDialog contact={contact} opened={isDeleteOpen} onClose={remove.close} />
      <EraseDialog contact={contact} opened={isEraseOpen} onClose={erase.close} />
    </>
  )
}
