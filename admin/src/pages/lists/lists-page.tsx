import { Badge, Button, Text, TextInput } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Filter, List as ListIcon, Plus, Search, SearchX } from 'lucide-react'
import { useState } from 'react'
import { useAccount } from '../../api/client.ts'
import { type List, listsQuery } from '../../api/queries.ts'
import { Page } from '../../components/page.tsx'
import { Empty, Loaded } from '../../components/states.tsx'
import { Rows } from '../../components/table.tsx'
import { TextLink } from '../../components/text-link.tsx'
import { Time } from '../../components/time.tsx'
import * as en from '../../strings/en.ts'
import { NameDialog } from './name-dialog.tsx'

export function ListsPage() {
  const account = useAccount()
  const lists = useQuery(listsQuery(account))
  const [text, setText] = useState('')
  const [isNewOpen, fresh] = useDisclosure(false)
  const params = { account: String(account.id) }
  const buttons = account.canWrite && (
    <>
      <Button variant="default" leftSection={<Plus size={16} />} onClick={fresh.open}>
        {en.lists.newStatic}
      </Button>
      <Button
        leftSection={<Filter size={16} />}
        renderRoot={(props) => <Link to="/accounts/$account/lists/new" params={params} {...props} />}
      >
        {en.lists.newSmart}
      </Button>
    </>
  )
  return (
    <Page title={en.lists.title} about={en.lists.about} actions={(lists.data?.length ?? 0) > 0 && buttons}>
      <Loaded query={lists}>
        {(all) => {
          if (all.length === 0)
            return (
              <Empty icon={ListIcon} title={en.lists.emptyTitle} action={buttons}>
                {en.lists.emptyText}
              </Empty>
            )
          const found = all.filter(({ name }) => name.toLowerCase().includes(text.trim().toLowerCase()))
          return (
            <>
              <TextInput
                maw={360}
                aria-label={en.lists.search}
                placeholder={en.lists.search}
                leftSection={<Search size={15} aria-hidden />}
                value={text}
                onChange={(event) => setText(event.currentTarget.value)}
              />
              {found.length === 0 ? <Empty icon={SearchX} title={en.lists.noneTitle} /> : <Lists lists={found} />}
            </>
          )
        }}
      </Loaded>
      <NameDialog opened={isNewOpen} onClose={fresh.close} />
    </Page>
  )
}

function Lists({ lists }: { lists: readonly List[] }) {
  const account = useAccount()
  return (
    <Rows
      label={en.lists.title}
      rows={lists}
      keyOf={({ id }) => id}
      columns={[
        {
          title: en.lists.name,
          cell: ({ id, name, description }) => (
            <>
              <TextLink
                fw={600}
                to="/accounts/$account/lists/$list"
                params={{ account: String(account.id), list: String(id) }}
              >
                {name}
              </TextLink>
              {description && (
                <Text size="xs" c="dimmed">
                  {description}
                </Text>
              )}
            </>
          ),
        },
        {
          title: en.lists.type,
          cell: ({ type }) => (
            <Badge
              variant="light"
              color={type === 'smart' ? 'indigo' : 'gray'}
              radius="sm"
              tt="none"
              fw={600}
              miw="max-content"
            >
              {en.lists.types[type]}
            </Badge>
          ),
        },
        { title: en.lists.contacts, isFigure: true, cell: ({ contacts_count: count }) => en.lists.number(count) },
        { title: en.lists.changed, cell: ({ updated_at: at }) => <Time at={at} /> },
      ]}
    />
  )
}
