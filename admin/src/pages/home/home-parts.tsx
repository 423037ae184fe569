import { Anchor, Group, Paper, Stack, Text } from '@mantine/core'
import type { Answer } from '@rollcall/sdk'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useAccount } from '../../api/client.ts'
import { Panel } from '../../components/panel.tsx'
import { Loaded } from '../../components/states.tsx'
import { Time } from '../../components/time.tsx'
import { number } from '../../strings/en/common.ts'
import * as en from '../../strings/en.ts'
import { importsQuery } from '../imports/import-queries.ts'
import { Phase } from '../imports/phase.tsx'
import classes from './home.module.css'

type Stats = Answer<'getStats'>

export function Cards({ stats, people, days }: { stats: Stats; people: number; days: number }) {
  const sum = (key: 'joined' | 'left') => stats.days.reduce((total, day) => total + day[key], 0)
  const cards: [string, number, string][] = [
    [en.home.people, people, en.home.now],
    [en.home.subscribed, stats.by_state.subscribed ?? 0, en.home.now],
    [en.home.joined, sum('joined'), en.home.inDays(days)],
    [en.home.left, sum('left'), en.home.inDays(days)],
    [en.home.waiting, stats.mails_waiting, en.home.now],
  ]
  return (
    <div className={classes.cards}>
      {cards.map(([name, value, when]) => (
        <Paper key={name} withBorder radius="md" p="md">
          <Text size="sm" c="dimmed">
            {name}
          </Text>
          <Text fz={28} fw={650} lh={1.3} className="figures">
            {number(value)}
          </Text>
          <Text size="xs" c="dimmed">
            {when}
          </Text>
        </Paper>
      ))}
    </div>
  )
}

interface SharesProps {
  title: string
  counts: Readonly<Record<string, number>>
  names: Readonly<Record<string, string>>
}

/** Parts of a whole, the largest first. */
export function Shares({ title, counts, names }: SharesProps) {
  const parts = Object.entries(counts).sort((a, b) => b[1] - a[1])
  const whole = parts.reduce((total, [, count]) => total + count, 0)
  return (
    <Panel title={title}>
      <Stack gap="sm">
        {parts.map(([key, count]) => (
          <div key={key}>
            <Group justify="space-between" gap="xs" mb={4}>
              <Text size="sm">{names[key] ?? key}</Text>
              <Text size="sm" className="figures">
                {number(count)}{' '}
                <Text span inherit c="dimmed">
                  {en.home.share((100 * count) / whole)}
                </Text>
              </Text>
            </Group>
            <div className={classes.share} aria-hidden>
              <div style={{ width: `${(100 * count) / whole}%` }} />
            </div>
          </div>
        ))}
      </Stack>
    </Panel>
  )
}

export function LatestImports() {
  const account = useAccount()
  const query = useQuery(importsQuery(account, 1))
  const params = { account: String(account.id) }
  return (
    <Panel
      title={en.home.imports}
      actions={
        <Anchor size="sm" renderRoot={(props) => <Link {...props} to="/accounts/$account/imports" params={params} />}>
          {en.home.allImports}
        </Anchor>
      }
    >
      <Loaded query={query}>
        {({ data }) =>
          data.length === 0 ? (
            <Text size="sm" c="dimmed">
              {en.home.noImports}
            </Text>
          ) : (
            <Stack gap="sm">
              {data.slice(0, 5).map(({ id, file, phase, created_at }) => (
                <Group key={id} justify="space-between" gap="xs" wrap="nowrap">
                  <Anchor
                    size="sm"
                    truncate
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
                  <Group gap="xs" wrap="nowrap">
                    <Phase phase={phase} />
                    <Text size="sm" c="dimmed" component="span">
                      <Time at={created_at} />
                    </Text>
                  </Group>
                </Group>
              ))}
            </Stack>
          )
        }
      </Loaded>
    </Panel>
  )
}

export function Moved({ lists }: { lists: Stats['moved'] }) {
  const account = String(useAccount().id)
  return (
    <Panel title={en.home.moved}>
      {lists.length === 0 && (
        <Text size="sm" c="dimmed">
          {en.home.notMoved}
        </Text>
      )}
      <Stack gap="xs">
        {lists.map(({ list_id, name, entered, left }) => (
          <Group key={list_id} justify="space-between" gap="xs">
            <Anchor
              size="sm"
              renderRoot={(props) => (
                <Link
                  {...props}
                  to="/accounts/$account/lists/$list"
                  params={{ account, list: String(list_id) }}
                  search={{ tab: 'history' }}
                />
              )}
            >
              {name}
            </Anchor>
            <Text size="sm" className="figures">
              {en.home.movedBy(entered, left)}
            </Text>
          </Group>
        ))}
      </Stack>
    </Panel>
  )
}

export function Delivery({ mail }: { mail: Stats['mail'] }) {
  const told = Object.entries(mail)
  const isQuiet = told.every(([, count]) => count === 0)
  return (
    <Panel title={en.home.mail}>
      {isQuiet ? (
        <Text size="sm" c="dimmed">
          {en.home.noMail}
        </Text>
      ) : (
        <div className={classes.cards}>
          {told.map(([type, count]) => (
            <div key={type}>
              <Text fz={20} fw={650} className="figures">
                {number(count)}
              </Text>
              <Text size="sm" c="dimmed">
                {en.home.mails[type] ?? type}
              </Text>
            </div>
          ))}
        </div>
      )}
    </Panel>
  )
}
