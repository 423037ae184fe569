import '@mantine/charts/styles.css'
import { AreaChart, BarChart } from '@mantine/charts'
import { Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useAccount } from '../../api/client.ts'
import { type ListDetail, listGrowthQuery } from '../../api/queries.ts'
import { Panel } from '../../components/panel.tsx'
import { Loaded } from '../../components/states.tsx'
import { Rows } from '../../components/table.tsx'
import { en } from '../../strings/en.ts'

const DAYS = 90
const AXES = { tickFormatter: (day: string) => day.slice(5) }

/** How a list grew, and how many entered and left each day. */
export function History({ list }: { list: ListDetail }) {
  const account = useAccount()
  const query = useQuery(listGrowthQuery(account, list.id, DAYS))
  return (
    <Loaded query={query}>
      {(days) => {
        const levels = levelsOf(days, list.contacts_count)
        const moved = days.filter(({ entered, left }) => entered + left > 0)
        return (
          <Stack>
            {list.track === false && <Text size="sm">{en.lists.untracked}</Text>}
            <Panel title={en.lists.growth} about={en.lists.growthHint}>
              <AreaChart
                h={220}
                data={levels}
                dataKey="day"
                curveType="monotone"
                withDots={false}
                series={[{ name: 'contacts', label: en.lists.contacts, color: 'indigo.6' }]}
                xAxisProps={AXES}
                role="group"
                aria-label={en.lists.growth}
              />
            </Panel>
            <Panel title={en.lists.moves}>
              {moved.length === 0 ? (
                <Text size="sm" c="dimmed">
                  {en.lists.noMoves}
                </Text>
              ) : (
                <>
                  <BarChart
                    h={200}
                    data={days}
                    dataKey="day"
                    series={[
                      { name: 'entered', label: en.lists.entered, color: 'teal.6' },
                      { name: 'left', label: en.lists.left, color: 'orange.6' },
                    ]}
                    xAxisProps={AXES}
                    withLegend
                    role="group"
                    aria-label={en.lists.moves}
                  />
                  <Rows
                    label={en.lists.moves}
                    rows={moved.toReversed()}
                    keyOf={({ day }) => day}
                    columns={[
                      { title: en.lists.day, cell: ({ day }) => day },
                      { title: en.lists.entered, cell: ({ entered }) => en.lists.number(entered), isFigure: true },
                      { title: en.lists.left, cell: ({ left }) => en.lists.number(left), isFigure: true },
                    ]}
                  />
                </>
              )}
            </Panel>
          </Stack>
        )
      }}
    </Loaded>
  )
}

/** How many were in it at each day's end, reckoned back from how many are in it now. */
export function levelsOf(days: readonly { day: string; entered: number; left: number }[], now: number) {
  let level = now
  return days
    .toReversed()
    .map(({ day, entered, left }) => {
      const contacts = Math.max(0, level)
      level -= entered - left
      return { day, contacts }
    })
    .reverse()
}
