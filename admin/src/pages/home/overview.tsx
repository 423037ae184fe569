import '@mantine/charts/styles.css'
import { AreaChart, BarChart } from '@mantine/charts'
import { Badge, Group, Paper, Progress, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useAccount } from '../../api/client.ts'
import { type Stats, statsQuery } from '../../api/queries.ts'
import { Panel } from '../../components/panel.tsx'
import { Loaded, Loading } from '../../components/states.tsx'
import { TextLink } from '../../components/text-link.tsx'
import { Time } from '../../components/time.tsx'
import { en } from '../../strings/en.ts'
import { importsQuery } from '../imports/import-queries.ts'
import classes from './home.module.css'

const LATEST = 5
const AXIS = { tickFormatter: (day: string) => day.slice(5), minTickGap: 24 }

/** How the audience stands and has moved in the last days. */
export function Overview({ days, contacts }: { days: number; contacts: number }) {
  const account = useAccount()
  const stats = useQuery(statsQuery(account, days))
  return (
    <Loaded query={stats} loading={<Loading lines={8} />}>
      {(data) => (
        <div className={classes.grid}>
          <Figures stats={data} days={days} contacts={contacts} />
          <div className={classes.wide}>
            <Panel title={en.home.overTime}>
              <AreaChart
                h={230}
                data={data.days}
                dataKey="day"
                curveType="monotone"
                withDots={false}
                series={[{ name: 'subscribed', label: en.home.subscribed, color: 'indigo.6' }]}
                xAxisProps={AXIS}
                role="group"
                aria-label={en.home.overTime}
              />
            </Panel>
          </div>
          <Panel title={en.home.moves}>
            <BarChart
              h={200}
              data={data.days}
              dataKey="day"
              series={[
                { name: 'joined', label: en.home.joined, color: 'teal.6' },
                { name: 'left', label: en.home.left, color: 'orange.6' },
              ]}
              xAxisProps={AXIS}
              withLegend
              role="group"
              aria-label={en.home.moves}
            />
          </Panel>
          <Panel title={en.home.byState}>
            <Shares
              shares={Object.entries(data.by_state).map(([state, n]) => [
                en.contacts.states[state as keyof typeof en.contacts.states] ?? state,
                n,
              ])}
            />
          </Panel>
          <Panel title={en.home.byOrigin}>
            <Shares shares={Object.entries(data.by_origin)} />
          </Panel>
          <Panel title={en.home.moved}>
            <Moved moved={data.moved} />
          </Panel>
          <Panel title={en.home.latestImports}>
            <LatestImports />
          </Panel>
          <Panel title={en.home.delivery}>
            <Delivery mail={data.mail} />
          </Panel>
        </div>
      )}
    </Loaded>
  )
}

function Figures({ stats, days, contacts }: { stats: Stats; days: number; contacts: number }) {
  const sum = (key: 'joined' | 'left') => stats.days.reduce((all, day) => all + day[key], 0)
  const figures: [string, number, string?][] = [
    [en.home.subscribed, stats.by_state.subscribed ?? 0],
    [en.home.contacts, contacts],
    [en.home.joined, sum('joined'), en.home.inDays(days)],
    [en.home.left, sum('left'), en.home.inDays(days)],
    [en.home.waiting, stats.mails_waiting],
  ]
  return (
    <dl className={classes.figures}>
      {figures.map(([name, value, note]) => (
        <Paper key={name} withBorder radius="md" p="md" component="div">
          <dt className={classes.figureName}>{name}</dt>
          <dd className={classes.figure}>
            {en.home.number(value)}
            {note && <span className={classes.note}>{note}</span>}
          </dd>
        </Paper>
      ))}
    </dl>
  )
}

function Shares({ shares }: { shares: [string, number][] }) {
  const whole = shares.reduce((sum, [, n]) => sum + n, 0)
  return (
    <ul className={classes.lines}>
      {shares
        .toSorted(([, a], [, b]) => b - a)
        .map(([name, n]) => (
          <li key={name}>
            <Group justify="space-between" gap="xs">
              <Text size="sm">{name}</Text>
              <Text size="sm" c="dimmed" className="figures">
                {en.home.number(n)} · {en.home.share(n, whole)}
              </Text>
            </Group>
            <Progress value={(100 * n) / Math.max(1, whole)} size="sm" mt={4} aria-hidden />
          </li>
        ))}
    </ul>
  )
}

function Moved({ moved }: { moved: Stats['moved'] }) {
  const account = useAccount()
  if (moved.length === 0) return <None text={en.home.noMoved} />
  return (
    <ul className={classes.lines}>
      {moved.map(({ list_id: id, name, entered, left }) => (
        <li key={id} className={classes.line}>
          <TextLink
            size="sm"
            to="/accounts/$account/lists/$list"
            params={{ account: String(account.id), list: String(id) }}
            search={{ tab: 'history' }}
          >
            {name}
          </TextLink>
          <Group gap="xs" className="figures">
            <Text size="sm">{en.home.entered(entered)}</Text>
            <Text size="sm">{en.home.gone(left)}</Text>
          </Group>
        </li>
      ))}
    </ul>
  )
}

function LatestImports() {
  const account = useAccount()
  const query = useQuery(importsQuery(account, 1))
  return (
    <Loaded query={query} loading={<Loading lines={3} />}>
      {({ data }) =>
        data.length === 0 ? (
          <None text={en.home.noImports} />
        ) : (
          <ul className={classes.lines}>
            {data.slice(0, LATEST).map(({ id, file, phase, rows_read: rows, created_at: at }) => (
              <li key={id} className={classes.line}>
                <div>
                  <TextLink
                    size="sm"
                    to="/accounts/$account/imports/$import"
                    params={{ account: String(account.id), import: String(id) }}
                  >
                    {file.name ?? `#${id}`}
                  </TextLink>
                  <Text size="xs" c="dimmed" component="div">
                    {en.home.rows(rows)} · <Time at={at} />
                  </Text>
                </div>
                <Badge variant="light" color="gray" radius="sm" tt="none">
                  {phase}
                </Badge>
              </li>
            ))}
          </ul>
        )
      }
    </Loaded>
  )
}

function Delivery({ mail }: { mail: Stats['mail'] }) {
  const sent = mail.email_sent ?? 0
  if (Object.values(mail).every((n) => n === 0)) return <None text={en.home.noDelivery} />
  return (
    <ul className={classes.lines}>
      {Object.entries(mail).map(([type, n]) => (
        <li key={type} className={classes.line}>
          <Text size="sm">{en.home.mail[type] ?? type}</Text>
          <Text size="sm" className="figures">
            {en.home.number(n)}
            {type !== 'email_sent' && sent > 0 && (
              <Text span c="dimmed">
                {' '}
                · {en.home.share(n, sent)}
              </Text>
            )}
          </Text>
        </li>
      ))}
    </ul>
  )
}

function None({ text }: { text: string }) {
  return (
    <Text size="sm" c="dimmed">
      {text}
    </Text>
  )
}
