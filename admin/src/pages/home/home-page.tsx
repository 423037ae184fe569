import { Stack } from '@mantine/core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { lazy, Suspense, useState } from 'react'
import { useAccount } from '../../api/client.ts'
import { contactsTotalQuery } from '../../api/queries.ts'
import { Page } from '../../components/page.tsx'
import { Panel } from '../../components/panel.tsx'
import { Period } from '../../components/period.tsx'
import { Loaded, Loading } from '../../components/states.tsx'
import * as en from '../../strings/en.ts'
import { FirstSteps } from './first-steps.tsx'
import classes from './home.module.css'
import { Cards, Delivery, LatestImports, Moved, Shares } from './home-parts.tsx'

// Charts are a large part of the page and not what one waits for.
const Growth = lazy(async () => ({ default: (await import('./charts.tsx')).Growth }))
const Moves = lazy(async () => ({ default: (await import('./charts.tsx')).Moves }))

/** How the audience stands and moved; an account without people shows how to bring some in. */
export function HomePage() {
  const total = useQuery(contactsTotalQuery(useAccount()))
  const [days, setDays] = useState('30')
  const period = <Period days={days} onChange={setDays} />
  return (
    <Page title={en.home.title} actions={total.data ? period : null}>
      <Loaded query={total}>
        {(people) => (people === 0 ? <FirstSteps /> : <Overview people={people} days={Number(days)} />)}
      </Loaded>
    </Page>
  )
}

function Overview({ people, days }: { people: number; days: number }) {
  const { id, api } = useAccount()
  const query = useQuery({
    queryKey: [id, 'stats', days],
    queryFn: ({ signal }) => api.call('getStats', { query: { days } }, { signal }),
    placeholderData: keepPreviousData,
    staleTime: 30_000,
  })
  return (
    <Loaded query={query} loading={<Loading lines={8} height={40} />}>
      {(stats) => (
        <Stack>
          <Cards stats={stats} people={people} days={days} />
          <Panel title={en.home.over}>
            <Suspense fallback={<div className={classes.chart} />}>
              <Growth days={stats.days} />
            </Suspense>
          </Panel>
          <div className={classes.halves}>
            <Panel title={en.home.moves}>
              <Suspense fallback={<div className={classes.chart} />}>
                <Moves days={stats.days} />
              </Suspense>
            </Panel>
            <LatestImports />
            <Shares title={en.home.byState} counts={stats.by_state} names={en.home.states} />
            <Shares title={en.home.byOrigin} counts={stats.by_origin} names={en.home.origins} />
            <Moved lists={stats.moved} />
            <Delivery mail={stats.mail} />
          </div>
        </Stack>
      )}
    </Loaded>
  )
}
