import '@mantine/charts/styles.css'
import { AreaChart, BarChart } from '@mantine/charts'
import { number } from '../../strings/en/common.ts'
import * as en from '../../strings/en.ts'
import classes from './home.module.css'

interface Day {
  day: string
  joined: number
  left: number
  subscribed: number
}

const short = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short', timeZone: 'UTC' })

export const dayName = (day: string) => short.format(new Date(`${day}T00:00:00Z`))

/** Room for the uppermost number, which else is pushed below its line. */
export const CHART_MARGIN = { top: 12 }

/** Subscribers at each day's end. */
export function Growth({ days }: { days: readonly Day[] }) {
  return (
    <div className={classes.chart} role="img" aria-label={summary(days)}>
      <AreaChart
        h={240}
        data={days.map((day) => ({ ...day, day: dayName(day.day) }))}
        dataKey="day"
        series={[{ name: 'subscribed', label: en.home.subscribed, color: 'indigo.6' }]}
        curveType="monotone"
        withDots={false}
        valueFormatter={number}
        tickLine="none"
        gridAxis="x"
        xAxisProps={{ minTickGap: 40 }}
        yAxisProps={{ width: 64, allowDecimals: false }}
        areaChartProps={{ margin: CHART_MARGIN }}
        areaProps={{ isAnimationActive: false }}
      />
    </div>
  )
}

/** Permissions given and withdrawn on each day. */
export function Moves({ days }: { days: readonly Day[] }) {
  return (
    <div className={classes.chart} role="img" aria-label={moves(days)}>
      <BarChart
        h={240}
        data={days.map(({ day, joined, left }) => ({ day: dayName(day), joined, left: -left }))}
        dataKey="day"
        type="stacked"
        barChartProps={{ stackOffset: 'sign', margin: CHART_MARGIN }}
        series={[
          { name: 'joined', label: en.home.joined, color: 'teal.6' },
          { name: 'left', label: en.home.left, color: 'red.5' },
        ]}
        valueFormatter={(value) => number(Math.abs(value))}
        tickLine="none"
        gridAxis="x"
        xAxisProps={{ minTickGap: 40 }}
        yAxisProps={{ width: 64, allowDecimals: false }}
        barProps={{ isAnimationActive: false }}
      />
    </div>
  )
}

function summary(days: readonly Day[]): string {
  const [first, last] = [days[0], days.at(-1)]
  if (!first || !last) return en.home.over
  return `${en.home.over}: ${dayName(first.day)} ${number(first.subscribed)}, ${dayName(last.day)} ${number(last.subscribed)}`
}

function moves(days: readonly Day[]): string {
  const sum = (key: 'joined' | 'left') => number(days.reduce((total, day) => total + day[key], 0))
  return `${en.home.moves}: ${en.home.joined} ${sum('joined')}, ${en.home.left} ${sum('left')}`
}
