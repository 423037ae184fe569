import { Button, Menu, Tabs, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { Ellipsis, ListChecks, Pencil, Trash2, Users } from 'lucide-react'
import { lazy, Suspense, useState } from 'react'
import { useAccount } from '../../api/client.ts'
import { fieldsQuery, type ListDetail, listQuery, listUsageQuery } from '../../api/queries.ts'
import { Page } from '../../components/page.tsx'
import { Empty, Loaded, Loading } from '../../components/states.tsx'
import { TabList } from '../../components/tab-list.tsx'
import { UsedBy } from '../../components/used-by.tsx'
import { chosenColumns, columnsFor } from '../../contacts/columns.tsx'
import { ContactsTable } from '../../contacts/contacts-table.tsx'
import { read } from '../../criteria/tree.ts'
import { useVocabulary } from '../../criteria/vocabulary.ts'
import { describe } from '../../criteria/words.ts'
import * as en from '../../strings/en.ts'
import { ConvertDialog, DeleteListDialog } from './list-dialogs.tsx'
import classes from './lists.module.css'
import { NameDialog } from './name-dialog.tsx'
import { SmartListForm } from './smart-list-form.tsx'

const History = lazy(async () => ({ default: (await import('./history.tsx')).History }))
const route = getRouteApi('/accounts/$account/lists/$list')

export function ListPage() {
  const account = useAccount()
  const { list: id } = route.useParams()
  const { tab = 'contacts' } = route.useSearch()
  const navigate = route.useNavigate()
  const query = useQuery(listQuery(account, Number(id)))
  const vocabulary = useVocabulary()
  const list = query.data
  // Once seen it stays, with what is not saved: to be there from the start it would count a large list at each visit.
  const [hasCriteria, setHasCriteria] = useState(tab === 'criteria')
  return (
    <Page
      title={list?.name ?? en.lists.title}
      about={
        list && (
          <>
            <span className="figures">{en.lists.members(list.contacts_count)}</span>
            {list.type === 'smart' && <Text size="sm">{describe(read(list.criteria), vocabulary)}.</Text>}
            {list.description && <Text size="sm">{list.description}</Text>}
            <ListUsers list={list.id} />
          </>
        )
      }
      actions={list && account.canWrite && <Actions list={list} />}
    >
      <Loaded query={query} loading={<Loading />}>
        {(found) => (
          <Tabs
            value={tab}
            keepMounted={false}
            onChange={(next) => {
              if (next === 'criteria') setHasCriteria(true)
              void navigate({
                search: next === 'contacts' ? {} : { tab: next as 'criteria' | 'history' },
                replace: true,
              })
            }}
          >
            <TabList open={tab} mb="md">
              <Tabs.Tab value="contacts">{en.lists.tabs.contacts}</Tabs.Tab>
              {found.type === 'smart' && <Tabs.Tab value="criteria">{en.lists.tabs.criteria}</Tabs.Tab>}
              <Tabs.Tab value="history">{en.lists.tabs.history}</Tabs.Tab>
            </TabList>
            <Tabs.Panel value="contacts">
              <Members list={found} />
            </Tabs.Panel>
            {found.type === 'smart' && (
              <Tabs.Panel value="criteria" keepMounted={hasCriteria}>
                <SmartListForm list={found} />
              </Tabs.Panel>
            )}
            <Tabs.Panel value="history">
              <Suspense fallback={<Loading />}>
                <History list={found} />
              </Suspense>
            </Tabs.Panel>
          </Tabs>
        )}
      </Loaded>
    </Page>
  )
}

/** What speaks of the list; nothing where nothing does. */
function ListUsers({ list }: { list: number }) {
  const { data: users = [] } = useQuery(listUsageQuery(useAccount(), list))
  return users.length > 0 && <UsedBy users={users} label={en.fields.usedBy} />
}

function Members({ list }: { list: ListDetail }) {
  const account = useAccount()
  const { data: fields = [] } = useQuery(fieldsQuery(account))
  const [sort, setSort] = useState<string>()
  return (
    <div className={classes.members}>
      <ContactsTable
        which={{ list_id: list.id }}
        columns={chosenColumns(columnsFor(fields), undefined)}
        sort={sort}
        onSort={setSort}
        empty={
          <Empty icon={Users} title={en.lists.noMembers}>
            {list.type === 'smart' ? en.lists.noMatches : en.lists.noMembersText}
          </Empty>
        }
      />
    </div>
  )
}

function Actions({ list }: { list: ListDetail }) {
  const [isNameOpen, name] = useDisclosure(false)
  const [isConvertOpen, convert] = useDisclosure(false)
  const [isDeleteOpen, remove] = useDisclosure(false)
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button variant="default" leftSection={<Ellipsis size={16} />}>
            {en.lists.menu}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<Pencil size={15} />} onClick={name.open}>
            {en.lists.rename}
          </Menu.Item>
          {list.type === 'smart' && (
            <Menu.Item leftSection={<ListChecks size={15} />} onClick={convert.open}>
              {en.lists.convert}
            </Menu.Item>
          )}
          <Menu.Item c="var(--mantine-color-error)" leftSection={<Trash2 size={15} />} onClick={remove.open}>
            {en.lists.delete}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <NameDialog list={list} opened={isNameOpen} onClose={name.close} />
      <ConvertDialog list={list} opened={isConvertOpen} onClose={convert.close} />
      <DeleteListDialog list={list} opened={isDeleteOpen} onClose={remove.close} />
    </>
  )
}
