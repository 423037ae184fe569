import { Anchor, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { History } from 'lucide-react'
import { useState } from 'react'
import { useAccount } from '../../api/client.ts'
import { Actor } from '../../components/actor.tsx'
import { Page } from '../../components/page.tsx'
import { Pager } from '../../components/pager.tsx'
import { Empty, Loaded } from '../../components/states.tsx'
import { Rows } from '../../components/table.tsx'
import { Time } from '../../components/time.tsx'
import { number } from '../../strings/en/common.ts'
import * as en from '../../strings/en.ts'
import { ChangePhase } from './change-phase.tsx'
import { CHANGES_PER_PAGE, changesQuery } from './change-queries.ts'

/** Counts that say the most about an act, for one line of a table. */
const TOLD = ['created', 'updated', 'changed', 'added', 'removed', 'restored', 'kept', 'rejected', 'entered', 'left']

export function ChangesPage() {
  const account = useAccount()
  const [page, setPage] = useState(1)
  const query = useQuery(changesQuery(account, page))
  return (
    <Page title={en.changes.title} about={en.changes.about}>
      <Loaded query={query}>
        {({ data, total }) =>
          data.length === 0 ? (
            <Empty icon={History} title={en.changes.none}>
              {en.changes.noneText}
            </Empty>
          ) : (
            <>
              <Rows
                label={en.changes.title}
                rows={data}
                keyOf={({ id }) => id}
                columns={[
                  {
                    title: en.changes.act,
                    cell: ({ id, kind }) => (
                      <Anchor
                        fw={600}
                        size="sm"
                        renderRoot={(props) => (
                          <Link
                            {...props}
                            to="/accounts/$account/changes/$change"
                            params={{ account: String(account.id), change: String(id) }}
                          />
                        )}
                      >
                        {en.changes.kinds[kind] ?? kind} {id}
                      </Anchor>
                    ),
                  },
                  { title: en.changes.status, cell: ({ phase }) => <ChangePhase phase={phase} /> },
                  { title: en.changes.people, cell: ({ counts }) => <Text size="sm">{briefCounts(counts)}</Text> },
                  { title: en.changes.by, cell: ({ actor }) => <Actor actor={actor} /> },
                  { title: en.changes.when, cell: ({ created_at }) => <Time at={created_at} /> },
                ]}
              />
              <Pager page={page} perPage={CHANGES_PER_PAGE} total={total ?? 0} onPage={setPage} />
            </>
          )
        }
      </Loaded>
    </Page>
  )
}

function briefCounts(counts: Readonly<Record<string, number>>): string {
  const told = TOLD.filter((name) => (counts[name] ?? 0) > 0)
  return told.map((name) => `${number(counts[name]!)} ${(en.changes.counts[name] ?? name).toLowerCase()}`).join(', ')
}
