import { Anchor, Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Upload } from 'lucide-react'
import { useState } from 'react'
import { useAccount } from '../../api/client.ts'
import { Page } from '../../components/page.tsx'
import { Pager } from '../../components/pager.tsx'
import { Empty, Loaded } from '../../components/states.tsx'
import { Rows } from '../../components/table.tsx'
import { Time } from '../../components/time.tsx'
import { number } from '../../strings/en/common.ts'
import * as en from '../../strings/en.ts'
import { IMPORTS_PER_PAGE, importsQuery } from './import-queries.ts'
import { Mappings } from './mappings.tsx'
import { Phase } from './phase.tsx'

export function ImportsPage() {
  const account = useAccount()
  const [page, setPage] = useState(1)
  const query = useQuery(importsQuery(account, page))
  const params = { account: String(account.id) }
  const start = account.canWrite && (
    <Button
      leftSection={<Upload size={16} aria-hidden />}
      renderRoot={(props) => <Link {...props} to="/accounts/$account/imports/new" params={params} />}
    >
      {en.imports.start}
    </Button>
  )
  return (
    <Page title={en.imports.title} about={en.imports.about} actions={query.data?.total === 0 ? null : start}>
      <Loaded query={query}>
        {({ data, total }) =>
          data.length === 0 ? (
            <Empty icon={Upload} title={en.imports.none} action={start}>
              {en.imports.noneText}
            </Empty>
          ) : (
            <>
              <Rows
                label={en.imports.title}
                rows={data}
                keyOf={({ id }) => id}
                columns={[
                  {
                    title: en.imports.file,
                    cell: ({ id, file }) => (
                      <Anchor
                        fw={600}
                        size="sm"
                        renderRoot={(props) => (
                          <Link
                            {...props}
                            to="/accounts/$account/imports/$import"
                            params={{ ...params, import: String(id) }}
                          />
                        )}
                      >
                        {file.name ?? en.imports.people}
                      </Anchor>
                    ),
                  },
                  { title: en.imports.status, cell: ({ phase }) => <Phase phase={phase} /> },
                  { title: en.imports.rows, isFigure: true, cell: (row) => number(row.rows_read) },
                  {
                    title: en.imports.counts.created,
                    isFigure: true,
                    cell: (row) => number(row.created_contacts_count),
                  },
                  {
                    title: en.imports.counts.updated,
                    isFigure: true,
                    cell: (row) => number(row.updated_contacts_count),
                  },
                  {
                    title: en.imports.counts.rejected,
                    isFigure: true,
                    cell: (row) => number(row.rejected_rows_count),
                  },
                  { title: en.imports.when, cell: (row) => <Time at={row.created_at} /> },
                ]}
              />
              <Pager page={page} perPage={IMPORTS_PER_PAGE} total={total ?? 0} onPage={setPage} />
            </>
          )
        }
      </Loaded>
      <Mappings />
    </Page>
  )
}
