import '@mantine/charts/styles.css'
import { AreaChart, BarChart } from '@mantine/charts'
import { Group, Select, Stack, Text } from '@mantine/core'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useAccount } from '../../api/client.ts'
import { type ListDetail, listGrowthQuery, listMovesQuery } from '../../api/queries.ts'
import { ActLink } from '../../components/events.tsx'
import { Panel } from '../../components/panel.tsx'
import { Period } from '../../components/period.tsx'
import { ShowMore } from '../../components/show-more.tsx'
import { Loaded } from '../../components/states.tsx'
import { Rows } from '../../components/table.tsx'
import { TextLink } from '../../components/text-link.tsx'
import { Time } from '../../components/time.tsx'
import { Toned } from '../../components/tone.tsx'
import { number } from '../../strings/en/common.ts'
import * as en from '../../strings/en.ts'
import { CHART_MARGIN, dayName } from '../home/charts.tsx'
import classes from './lists.module.css'

interface Day {
  day: string
  entered: number
  left: number
  contacts: number
}

/** How a list grew, how many entered and left each day, and who. */
export function History({ list }: { list: ListDetail }) {
  const [days, setDays] = useState('90')
  const query = useQuery(listGrowthQuery(useAccount(), list.id, Number(days)))
  const period = <Period days={days} onChange={setDays} />
  return (
    <Stack>
      {list.track === false && <Text size="sm">{en.lists.untracked}</Text>}
      <Loaded query={query}>
        {(growth) => (
          <>
            <Panel title={en.lists.growth} about={en.lists.growthHint} actions={period}>
              <Growth days={growth} />
            </Panel>
            <Panel title={en.lists.flow} about={totalOf(growth)}>
              <Flow days={growth} />
            </Panel>
            <Moves list={list.id} days={growth} />
          </>
        )}
      </Loaded>
    </Stack>
  )
}

const AXES = { tickLine: 'none', gridAxis: 'x', xAxisProps: { minTickGap: 40 } } as const
const whole = { width: 64, allowDecimals: false }

function Growth({ days }: { days: readonly Day[] }) {
  const [first, last] = [days[0], days.at(-1)]
  const said = [first, last].flatMap((day) => (day ? [`${dayName(day.day)} ${number(day.contacts)}`] : [])).join(', ')
  return (
    <div className={classes.chart} role="img" aria-label={`${en.lists.growth}: ${said}`}>
      <AreaChart
        h={220}
        data={days.map((day) => ({ ...day, day: dayName(day.day) }))}
        dataKey="day"
        curveType="monotone"
        withDots={false}
        series={[{ name: 'contacts', label: en.lists.contacts, color: 'indigo.6' }]}
        valueFormatter={number}
        yAxisProps={whole}
        areaChartProps={{ margin: CHART_MARGIN }}
        areaProps={{ isAnimationActive: false }}
        {...AXES}
      />
    </div>
  )
}

function totalOf(days: readonly Day[]): string {
  const sum = (way: 'entered' | 'left') => days.reduce((total, day) => total + day[way], 0)
  return en.lists.total(sum('entered'), sum('left'))
}

function Flow({ days }: { days: readonly Day[] }) {
  return (
    <div className={classes.chart} role="img" aria-label={`${en.lists.flow}: ${totalOf(days)}`}>
      <BarChart
        h={220}
        data={days.map(({ day, entered, left }) => ({ day: dayName(day), entered, left: -left }))}
        dataKey="day"
        type="stacked"
        barChartProps={{ stackOffset: 'sign', margin: CHART_MARGIN }}
        series={[
          { name: 'entered', label: en.lists.entered, color: 'teal.6' },
          { name: 'left', label: en.lists.left, color: 'red.5' },
        ]}
        valueFormatter={(value) => number(Math.abs(value))}
        yAxisProps={whole}
        barProps={{ isAnimationActive: false }}
        {...AXES}
      />
    </div>
  )
}

const EVERY = ''

/** Names: the latest of all, or those of one of the days on which somebody moved. */
function Moves({ list, days }: { list: number; days: readonly Day[] }) {
  const account = useAccount()
  const [day, setDay] = useState(EVERY)
  const query = useInfiniteQuery(listMovesQuery(account, list, day || undefined))
  const moved = days.filter(({ entered, left }) => entered + left > 0).toReversed()
  return (
    <Panel
      title={en.lists.moves}
      actions={
        <Select
          size="xs"
          w={240}
          aria-label={en.lists.day}
          searchable
          allowDeselect={false}
          data={[
            { value: EVERY, label: en.lists.allDays },
            ...moved.map((each) => ({
              value: each.day,
              label: `${dayName(each.day)}: ${en.lists.total(each.entered, each.left)}`,
            })),
          ]}
          value={day}
          onChange={(chosen) => setDay(chosen ?? EVERY)}
        />
      }
    >
      <Loaded query={query}>
        {({ pages }) => {
          const moves = pages.flatMap(({ data }) => data)
          return (
            <>
              {moves.length === 0 ? (
                <Text size="sm" c="dimmed">
                  {query.hasNextPage ? en.lists.noMovesYet : en.lists.noMoves}
                </Text>
              ) : (
                <Rows
                  label={en.lists.moves}
                  rows={moves}
                  keyOf={({ event_id, move }) => `${event_id} ${move}`}
                  columns={[
                    {
                      title: en.lists.person,
                      cell: ({ contact_id: contact, email }) => (
                        <TextLink
                          to="/accounts/$account/contacts/$contact"
                          params={{ account: String(account.id), contact }}
                        >
                          {email}
                        </TextLink>
                      ),
                    },
                    {
                      title: en.lists.way,
                      cell: ({ move }) => <Toned tone={move === 'entered' ? 'good' : 'quiet'}>{en.lists[move]}</Toned>,
                    },
                    { title: en.lists.when, cell: ({ at }) => <Time at={at} withClock /> },
                    {
                      title: en.lists.act,
                      cell: ({ change_set_id: act }) => act !== null && <ActLink id={act} />,
                    },
                  ]}
                />
              )}
              {query.hasNextPage && (
                <Group justify="center">
                  <ShowMore query={query} words={en.lists.older} size="sm" />
                </Group>
              )}
            </>
          )
        }}
      </Loaded>
    </Panel>
  )
}
