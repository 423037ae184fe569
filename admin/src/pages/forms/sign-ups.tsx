import { Text } from '@mantine/core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { lazy, Suspense, useState } from 'react'
import { useAccount } from '../../api/client.ts'
import { formStatsQuery } from '../../api/queries.ts'
import { Panel } from '../../components/panel.tsx'
import { Period } from '../../components/period.tsx'
import { Loaded, Loading } from '../../components/states.tsx'
import * as en from '../../strings/en.ts'

// Charts weigh more than all else of the page.
const SignUpsChart = lazy(async () => ({ default: (await import('./sign-ups-chart.tsx')).SignUpsChart }))

/** What has come by a form lately. */
export function SignUps({ form }: { form: number }) {
  const [days, setDays] = useState('30')
  const query = useQuery({ ...formStatsQuery(useAccount(), Number(days)), placeholderData: keepPreviousData })
  return (
    <Panel title={en.forms.signUps} about={en.forms.signUpsAbout} actions={<Period days={days} onChange={setDays} />}>
      <Loaded query={query}>
        {(forms) => {
          const counted = forms.find(({ form_id }) => form_id === form)
          if (!counted || counted.sign_ups + counted.confirmed === 0)
            return (
              <Text size="sm" c="dimmed">
                {en.forms.signUpsNone}
              </Text>
            )
          const told = en.forms.signUpsTold(counted.sign_ups, counted.confirmed)
          return (
            <>
              <Text size="sm" className="figures">
                {told}
              </Text>
              <Suspense fallback={<Loading />}>
                <SignUpsChart days={counted.days} label={told} />
              </Suspense>
            </>
          )
        }}
      </Loaded>
    </Panel>
  )
}
