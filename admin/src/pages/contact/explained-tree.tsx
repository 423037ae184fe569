import { Text } from '@mantine/core'
import { Check, X } from 'lucide-react'
import { Time } from '../../components/time.tsx'
import { shownValue } from '../../contacts/shown-value.ts'
import { read } from '../../criteria/tree.ts'
import { useVocabulary, type Vocabulary } from '../../criteria/vocabulary.ts'
import { phrase } from '../../criteria/words.ts'
import * as en from '../../strings/en.ts'
import classes from './contact.module.css'

/** One part of criteria for one contact, as the API explains it. */
export interface Explained {
  is: 'all' | 'any' | 'not' | 'list' | 'condition'
  outcome: boolean
  changes_at: string | null
  condition?: Record<string, unknown>
  seen?: unknown
  list?: { id: number; name: string; left: boolean }
  of?: Explained[]
}

/** Each part of the criteria with its outcome and what it saw of the contact. */
export function ExplainedTree({ part }: { part: Explained }) {
  return (
    <ul className={classes.tree}>
      <Part part={part} vocabulary={useVocabulary()} />
    </ul>
  )
}

function Part({ part, vocabulary }: { part: Explained; vocabulary: Vocabulary }) {
  const { is, outcome, changes_at: changesAt, condition, seen, list, of = [] } = part
  const title =
    is === 'condition' && condition
      ? phrase(read(condition), vocabulary)
      : is === 'list'
        ? en.contact.explained.list(list?.name ?? '')
        : is === 'condition'
          ? ''
          : en.contact.explained[is]
  return (
    <li>
      <span className={classes.outcome} data-holds={outcome}>
        {outcome ? <Check size={16} aria-hidden /> : <X size={16} aria-hidden />}
        <span className="visually-hidden">{outcome ? en.contact.holds : en.contact.fails}</span>
      </span>
      <Text span size="sm" fw={is === 'condition' ? 400 : 600}>
        {title}
      </Text>{' '}
      {is === 'condition' && (
        <Text span size="sm" c="dimmed">
          · {en.contact.seen} {seenText(seen)}
        </Text>
      )}
      {list?.left && (
        <Text span size="sm" c="dimmed">
          · {en.contact.hasLeft}
        </Text>
      )}
      {changesAt && (
        <Text span size="xs" c="dimmed">
          {' '}
          · {en.contact.changesAt} <Time at={changesAt} withClock />
        </Text>
      )}
      {of.length > 0 && (
        <ul className={classes.tree}>
          {of.map((child, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: parts have no name but their place
            <Part key={at} part={child} vocabulary={vocabulary} />
          ))}
        </ul>
      )}
    </li>
  )
}

/** What a condition saw: a value, several, or how often something happened and when last. */
function seenText(seen: unknown): string {
  if (seen === null || seen === undefined || seen === '') return en.contact.nothingSeen
  if (Array.isArray(seen)) return seen.map(String).join(', ') || en.contact.nothingSeen
  if (typeof seen === 'object' && 'count' in seen) return en.contact.timesSeen(Number(seen.count))
  return typeof seen === 'object' ? JSON.stringify(seen) : shownValue(seen)
}
