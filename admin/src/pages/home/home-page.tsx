import { Alert, SegmentedControl } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense, useState } from 'react'
import { useAccount } from '../../api/client.ts'
import { contactsTotalQuery } from '../../api/queries.ts'
import { Page } from '../../components/page.tsx'
import { Loaded, Loading } from '../../components/states.tsx'
import { en } from '../../strings/en.ts'
import { FirstSteps } from './first-steps.tsx'

// The charts are three times the size of all other scripts of this page, and come after it.
const Overview = lazy(async () => ({ default: (await import('./overview.tsx')).Overview }))

const PERIODS = [30, 90, 365] as const

/** How the audience stands; of an account without contacts, the ways to begin. */
export function HomePage() {
  const account = useAccount()
  const total = useQuery(contactsTotalQuery(account))
  const [days, setDays] = useState<(typeof PERIODS)[number]>(30)
  return (
    <Page
      title={en.home.title}
      about={account.name}
      actions={
        (total.data ?? 0) > 0 && (
          <SegmentedControl
            aria-label={en.home.period}
            value={String(days)}
            data={PERIODS.map((period) => ({ value: String(period), label: en.home.periods[period] }))}
            onChange={(value) => setDays(PERIODS.find((period) => String(period) === value) ?? 30)}
          />
        )
      }
    >
      {!account.canWrite && <Alert variant="light">{en.shell.viewer}</Alert>}
      <Loaded query={total} loading={<Loading />}>
        {(contacts) =>
          contacts === 0 ? (
            <FirstSteps />
          ) : (
            <Suspense fallback={<Loading lines={8} />}>
              <Overview days={days} contacts={contacts} />
            </Suspense>
          )
        }
      </Loaded>
    </Page>
  )
}
