import '@mantine/charts/styles.css'
import { BarChart } from '@mantine/charts'
import { number } from '../../strings/en/common.ts'
import * as en from '../../strings/en.ts'

interface Day {
  day: string
  sign_ups: number
  confirmed: number
}

const short = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short', timeZone: 'UTC' })

/** How often a form was filled and confirmed on each day. */
export function SignUpsChart({ days, label }: { days: readonly Day[]; label: string }) {
  return (
    <div role="img" aria-label={label}>
      <BarChart
        h={200}
        data={days.map(({ day, sign_ups, confirmed }) => ({
          day: short.format(new Date(`${day}T00:00:00Z`)),
          sign_ups,
          confirmed,
        }))}
        dataKey="day"
        series={[
          { name: 'sign_ups', label: en.forms.filled, color: 'gray.5' },
          { name: 'confirmed', label: en.forms.confirmed, color: 'teal.6' },
        ]}
        valueFormatter={number}
        tickLine="none"
        gridAxis="x"
        withLegend
        xAxisProps={{ minTickGap: 40 }}
        yAxisProps={{ width: 48, allowDecimals: false }}
        barProps={{ isAnimationActive: false }}
      />
    </div>
  )
}
