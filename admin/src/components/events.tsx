import { Badge, Text } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useEffect } from 'react'
import { useAccount } from '../api/client.ts'
import { listsQuery } from '../api/queries.ts'
import type { Vocabulary } from '../criteria/vocabulary.ts'
import { number } from '../strings/en/common.ts'
import * as en from '../strings/en.ts'
import { Changes } from './changes.tsx'
import classes from './events.module.css'
import { TextLink } from './text-link.tsx'
import { Time } from './time.tsx'

/** What of an event is shown, be it of a contact's timeline or of the account's feed. */
export interface ShownEvent {
  types: readonly string[]
  name?: string
  at: string
  data: Record<string, unknown>
  change_set_id?: number
}

/** Events below each other; the newest stands first. */
export function EventList({ label, children }: { label: string; children: ReactNode }) {
  return (
    <ol className={classes.events} aria-label={label}>
      {children}
    </ol>
  )
}

/** What has happened, when, as part of which act, and what changed by it; `who` stands before it where that can be anybody. */
export function EventItem({ event, vocabulary, who }: { event: ShownEvent; vocabulary: Vocabulary; who?: ReactNode }) {
  const { types, name, at, data, change_set_id: set } = event
  const { lists, smart_lists: smart, kind, counts, state_reason: reason, cause, hook_id: _hook, ...rest } = data
  const why = whyOf(reason, cause)
  return (
    <li>
      <div className={classes.head}>
        <div className={classes.what}>
          {who && <span className={classes.who}>{who}</span>}
          {types.map((type) => (
            <Badge key={type} variant="light" color="gray" radius="sm" tt="none" fw={600}>
              {type === 'custom' && name ? name : (en.events.types[type] ?? type)}
            </Badge>
          ))}
          {set !== undefined && <ActLink id={set} />}
        </div>
        <Text size="xs" c="dimmed" component="span">
          <Time at={at} />
        </Text>
      </div>
      {types.some((type) => type.startsWith('change_set_')) && <ActCounts kind={kind} counts={counts} />}
      <Lists moves={lists} vocabulary={vocabulary} />
      <Lists moves={smart} vocabulary={vocabulary} />
      <Changes data={rest} label={vocabulary.subject} />
      {why && (
        <Text size="xs" c="dimmed">
          {why}
        </Text>
      )}
    </li>
  )
}

/** Why somebody's state is another, or why they came into a smart list or left it, in words. */
function whyOf(reason: unknown, cause: unknown): string | undefined {
  const to = (reason as { to?: unknown } | undefined)?.to
  if (typeof to === 'string') return en.events.reasons[to] ?? to
  return typeof cause === 'string' ? en.events.causes[cause] : undefined
}

/** What an act on many people was, and how many it did what to. */
function ActCounts({ kind, counts }: { kind: unknown; counts: unknown }) {
  const said = Object.entries((counts ?? {}) as Record<string, number>)
    .filter(([, people]) => people > 0)
    .map(([name, people]) => `${en.changes.counts[name] ?? name.replaceAll('_', ' ')} ${number(people)}`)
  return (
    <Text size="sm" c="dimmed">
      {[en.changes.kinds[String(kind)] ?? String(kind), said.join(', ')].filter(Boolean).join(': ')}
    </Text>
  )
}

/** Leads to the act on many people that something is part of. */
export function ActLink({ id }: { id: number }) {
  const { id: account } = useAccount()
  return (
    <TextLink
      size="xs"
      to="/accounts/$account/changes/$change"
      params={{ account: String(account), change: String(id) }}
    >
      {en.events.inAct(id)}
    </TextLink>
  )
}

/** The lists that somebody came into or went out of, each leading there. */
function Lists({ moves, vocabulary }: { moves: unknown; vocabulary: Vocabulary }) {
  const ways = Object.entries((moves ?? {}) as Record<string, number[] | null>)
  if (ways.length === 0) return null
  return (
    <ul className={classes.lists}>
      {ways.map(
        ([way, ids]) =>
          ids &&
          ids.length > 0 && (
            <li key={way}>
              {en.events.lists[way] ?? way}:{' '}
              {ids.map((id, at) => (
                <span key={id}>
                  {at > 0 && ', '}
                  <ListLink id={id} vocabulary={vocabulary} />
                </span>
              ))}
            </li>
          ),
      )}
    </ul>
  )
}

function ListLink({ id, vocabulary }: { id: number; vocabulary: Vocabulary }) {
  const account = useAccount()
  const client = useQueryClient()
  const isKnown = vocabulary.lists.some((list) => list.id === id)
  useEffect(() => {
    // It may have been made since the lists were read. Of all that ask at once, one request asks.
    if (!isKnown) client.fetchQuery({ ...listsQuery(account), staleTime: 0 }).catch(() => {})
  }, [isKnown, account, client])
  if (!isKnown) return vocabulary.list(id)
  return (
    <TextLink
      fz="inherit"
      underline="always"
      to="/accounts/$account/lists/$list"
      params={{ account: String(account.id), list: String(id) }}
    >
      {vocabulary.list(id)}
    </TextLink>
  )
}
