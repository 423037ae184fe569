import { Anchor, Button, Group, Loader, Stack, Text } from '@mantine/core'
import type { ChangeSet } from '@rollcall/sdk'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useAccount } from '../../api/client.ts'
import { Actor } from '../../components/actor.tsx'
import { Diff } from '../../components/diff.tsx'
import { Page } from '../../components/page.tsx'
import { Panel } from '../../components/panel.tsx'
import { RevertDialog } from '../../components/revert-dialog.tsx'
import { Loaded } from '../../components/states.tsx'
import { Time } from '../../components/time.tsx'
import { done, failed } from '../../components/toast.tsx'
import { number } from '../../strings/en/common.ts'
import * as en from '../../strings/en.ts'
import classes from '../imports/imports.module.css'
import { ChangePhase } from './change-phase.tsx'
import { canRevert, changeQuery, isAtWork } from './change-queries.ts'

const route = getRouteApi('/accounts/$account/changes/$change')

/** An act on many people: in numbers, person by person, and the way back. */
export function ChangePage() {
  const id = Number(route.useParams().change)
  const account = useAccount()
  const query = useQuery(changeQuery(account, id))
  const set = query.data
  const title = set ? `${en.changes.kinds[set.kind] ?? set.kind} ${id}` : en.changes.one(id)
  return (
    <Page
      title={title}
      about={
        set && (
          <Group gap="xs">
            <ChangePhase phase={set.phase} />
            <Actor actor={set.actor} />
            <Time at={set.created_at} withClock />
          </Group>
        )
      }
      actions={set && <Acts set={set} />}
    >
      <Loaded query={query}>{(loaded) => <Details set={loaded} />}</Loaded>
    </Page>
  )
}

function Details({ set }: { set: ChangeSet }) {
  const counts = Object.entries(set.counts).filter(([, count]) => count > 0)
  return (
    <Stack gap="lg">
      <Panel title={en.changes.summary}>
        {isAtWork(set) && <Loader size="sm" />}
        {counts.length === 0 ? (
          <Text c="dimmed">{en.changes.noCounts}</Text>
        ) : (
          <div className={classes.counts}>
            {counts.map(([name, count]) => (
              <div key={name}>
                <Text fz={26} fw={650} lh={1.2} className="figures">
                  {number(count)}
                </Text>
                <Text size="sm" c="dimmed">
                  {en.changes.counts[name] ?? name.replaceAll('_', ' ')}
                </Text>
              </div>
            ))}
          </div>
        )}
      </Panel>
      {!isAtWork(set) && (
        <Panel title={en.changes.diff}>
          <Diff changeSet={set.id} label={en.changes.diff} />
        </Panel>
      )}
    </Stack>
  )
}

/** What can be done with an act as it stands. */
function Acts({ set }: { set: ChangeSet }) {
  const account = useAccount()
  const client = useQueryClient()
  const [isReverting, setReverting] = useState(false)
  const again = () => client.invalidateQueries({ queryKey: [account.id, 'changes'] })
  const act = useMutation({
    mutationFn: (what: 'apply' | 'cancel') => account.api.changeSets[what](set.id),
    onSuccess: again,
    onError: (error) => failed(error),
  })
  const isBulk = set.kind === 'bulk'
  return (
    <>
      {set.kind === 'import' && (
        <Anchor
          size="sm"
          renderRoot={(props) => (
            <Link
              {...props}
              to="/accounts/$account/imports/$import"
              params={{ account: String(account.id), import: String(set.id) }}
            />
          )}
        >
          {en.changes.openImport}
        </Anchor>
      )}
      {account.canWrite && isBulk && (set.phase === 'ready' || isAtWork(set)) && (
        <Button variant="default" loading={act.isPending} onClick={() => act.mutate('cancel')}>
          {set.phase === 'ready' ? en.changes.discard : en.changes.stop}
        </Button>
      )}
      {account.canWrite && isBulk && set.phase === 'ready' && (
        <Button loading={act.isPending} onClick={() => act.mutate('apply')}>
          {en.changes.apply}
        </Button>
      )}
      {account.canWrite && canRevert(set) && (
        <Button variant="default" onClick={() => setReverting(true)}>
          {en.changes.revert}
        </Button>
      )}
      <RevertDialog
        changeSet={set.id}
        opened={isReverting}
        onClose={() => setReverting(false)}
        onBegun={() => {
          done(en.changes.revertBegun)
          void again()
        }}
      />
    </>
  )
}
