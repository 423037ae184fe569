import { Button, Text } from '@mantine/core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useAccount } from '../../api/client.ts'
import type { Template } from '../../api/queries.ts'
import { Actor } from '../../components/actor.tsx'
import { Pager } from '../../components/pager.tsx'
import { Panel } from '../../components/panel.tsx'
import { Loaded, Loading } from '../../components/states.tsx'
import { Rows } from '../../components/table.tsx'
import { Time } from '../../components/time.tsx'
import * as en from '../../strings/en.ts'
import { VersionDialog } from './version-dialog.tsx'

const PER_PAGE = 10

interface Props {
  template: Template
  /** Whether there are changes that bringing back another version would lose. */
  isDirty: boolean
  onBroughtBack: () => void
}

/** What was saved before: to be looked at, and brought back. */
export function Versions({ template, isDirty, onBroughtBack }: Props) {
  const { id: accountId, api } = useAccount()
  const [page, setPage] = useState(1)
  const [shown, setShown] = useState<number>()
  const query = useQuery({
    queryKey: [accountId, 'templates', template.name, 'versions', page],
    queryFn: ({ signal }) => api.mail.versions(template.name, { page, per_page: PER_PAGE }, { signal }),
    placeholderData: keepPreviousData,
  })
  return (
    <Panel title={en.templates.versions} about={en.templates.versionsAbout}>
      <Loaded query={query} loading={<Loading lines={3} />}>
        {({ data, total }) => {
          if (total === 0)
            return (
              <Text size="sm" c="dimmed">
                {en.templates.noVersions}
              </Text>
            )
          const isLast = page * PER_PAGE >= total
          const came = { version: 0, actor: null, created_at: null }
          const rows: { version: number; actor: string | null; created_at: string | null }[] =
            isLast && template.built_in ? [...data, came] : data
          return (
            <>
              <Rows
                label={en.templates.versions}
                rows={rows}
                keyOf={({ version }) => version}
                columns={[
                  { title: en.templates.version, cell: ({ version }) => en.templates.versionTitle(version) },
                  {
                    title: en.templates.savedBy,
                    cell: ({ actor }) => (actor === null ? en.templates.rollcall : <Actor actor={actor} />),
                  },
                  { title: en.templates.when, cell: ({ created_at: at }) => at && <Time at={at} withClock /> },
                  {
                    title: en.templates.actions,
                    isTitleHidden: true,
                    cell: ({ version }) =>
                      version === template.version ? (
                        <Text size="sm" c="dimmed">
                          {en.templates.current}
                        </Text>
                      ) : (
                        <Button
                          size="xs"
                          variant="default"
                          aria-label={en.templates.lookAt(version)}
                          onClick={() => setShown(version)}
                        >
                          {en.templates.look}
                        </Button>
                      ),
                  },
                ]}
              />
              <Pager page={page} perPage={PER_PAGE} total={total} onPage={setPage} />
            </>
          )
        }}
      </Loaded>
      {shown !== undefined && (
        <VersionDialog
          name={template.name}
          version={shown}
          isDirty={isDirty}
          onClose={() => setShown(undefined)}
          onBroughtBack={onBroughtBack}
        />
      )}
    </Panel>
  )
}
