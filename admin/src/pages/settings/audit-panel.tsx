import { Stack, Text } from '@mantine/core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { ScrollText } from 'lucide-react'
import { useState } from 'react'
import { useAccount } from '../../api/client.ts'
import { Actor } from '../../components/actor.tsx'
import { Changes } from '../../components/changes.tsx'
import { Pager } from '../../components/pager.tsx'
import { Empty, Loaded } from '../../components/states.tsx'
import { Rows } from '../../components/table.tsx'
import { Time } from '../../components/time.tsx'
import * as en from '../../strings/en.ts'

const PER_PAGE = 50

export function AuditPanel() {
  const { id, api } = useAccount()
  const [page, setPage] = useState(1)
  const query = useQuery({
    queryKey: [id, 'audit', page],
    queryFn: ({ signal }) => api.call('listAudit', { query: { page, per_page: PER_PAGE } }, { signal }),
    placeholderData: keepPreviousData,
  })
  return (
    <Loaded query={query}>
      {({ data, total }) =>
        data.length === 0 ? (
          <Empty icon={ScrollText} title={en.settings.noAudit} />
        ) : (
          <Stack>
            <Text c="dimmed" size="sm">
              {en.settings.auditAbout}
            </Text>
            <Rows
              label={en.settings.tabs.audit}
              rows={data}
              keyOf={(entry) => entry.id}
              columns={[
                { title: en.settings.when, cell: ({ at }) => <Time at={at} withClock /> },
                { title: en.settings.who, cell: ({ actor }) => <Actor actor={actor} /> },
                { title: en.settings.what, cell: ({ action }) => en.settings.auditActions(action) },
                {
                  title: en.settings.details,
                  cell: ({ data: details }) => <Changes data={details} label={(name) => name.replaceAll('_', ' ')} />,
                },
                { title: en.settings.address, cell: ({ ip }) => ip },
              ]}
            />
            <Pager page={page} perPage={PER_PAGE} total={total ?? 0} onPage={setPage} />
          </Stack>
        )
      }
    </Loaded>
  )
}
