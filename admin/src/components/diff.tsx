import { Group, Text, VisuallyHidden } from '@mantine/core'
import type { Answer } from '@rollcall/sdk'
import { infiniteQueryOptions, useInfiniteQuery } from '@tanstack/react-query'
import { ListChecks } from 'lucide-react'
import { type OpenAccount, useAccount } from '../api/client.ts'
import { useVocabulary } from '../criteria/vocabulary.ts'
import * as en from '../strings/en.ts'
import classes from './diff.module.css'
import { ShowMore } from './show-more.tsx'
import { Empty, Loaded } from './states.tsx'
import { Rows } from './table.tsx'
import { type Tone, Toned } from './tone.tsx'

type Line = Answer<'getDiff'>['data'][number]
type Values = Record<string, unknown>

export const diffQuery = ({ id: accountId, api }: OpenAccount, id: number, perPage: number) =>
  infiniteQueryOptions({
    queryKey: [accountId, 'changes', id, 'diff', perPage],
    queryFn: ({ pageParam, signal }) =>
      api.call(
        'getDiff',
        { path: { id }, query: { per_page: perPage, ...(pageParam === null ? {} : { cursor: pageParam }) } },
        { signal },
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  })

/** What an act did, or would do, to each person; `perPage` at a time. */
export function Diff({ changeSet, perPage = 50, label }: { changeSet: number; perPage?: number; label: string }) {
  const query = useInfiniteQuery(diffQuery(useAccount(), changeSet, perPage))
  return (
    <Loaded query={query}>
      {({ pages }) => {
        const lines = pages.flatMap(({ data }) => data)
        if (lines.length === 0) return <Empty icon={ListChecks} title={en.common.none} />
        return (
          <>
            <Rows
              label={label}
              rows={lines}
              keyOf={({ line }) => line}
              columns={[
                { title: en.data.line, cell: ({ line }) => line, isFigure: true },
                { title: en.data.contact, cell: ({ email }) => email ?? <Text c="dimmed">{en.data.nobody}</Text> },
                { title: en.data.action, cell: ({ action }) => <Action action={action} /> },
                { title: en.data.change, cell: (line) => <Change line={line} /> },
              ]}
            />
            {query.hasNextPage && (
              <Group justify="center">
                <ShowMore query={query} />
              </Group>
            )}
          </>
        )
      }}
    </Loaded>
  )
}

const TONES: Readonly<Record<string, Tone>> = {
  created: 'good',
  updated: 'busy',
  restored: 'busy',
  rejected: 'bad',
  suppressed: 'warning',
  kept: 'warning',
  removed: 'bad',
}

function Action({ action }: { action: string | null }) {
  if (action === null) return null
  return <Toned tone={TONES[action] ?? 'quiet'}>{en.data.actions[action] ?? action}</Toned>
}

/** What a revert needs beside the state, and says nothing to a reader. */
const UNSAID = ['state_reason', 'state_before']

function Change({ line: { before, after, problem } }: { line: Line }) {
  const vocabulary = useVocabulary()
  const was = flat(before)
  const becomes = flat(after)
  const keys = [...new Set([...Object.keys(was), ...Object.keys(becomes)])].filter(
    (key) => !UNSAID.includes(key) && textOf(was[key]) !== textOf(becomes[key]),
  )
  const faults = problemsOf(problem)
  const said = (key: string, value: unknown) =>
    (key === 'lists' && Array.isArray(value)
      ? value.map((id) => vocabulary.list(Number(id))).join(', ')
      : textOf(value)) || en.data.empty
  if (keys.length === 0 && faults.length === 0) return null
  return (
    <>
      {keys.length > 0 && (
        <dl className={classes.changes}>
          {keys.map((key) => (
            <div key={key} style={{ display: 'contents' }}>
              <dt>{en.data.keys[key] ?? vocabulary.subject(key)}</dt>
              <dd>
                {before !== null && (
                  <>
                    <span className={classes.before}>{said(key, was[key])}</span> <span aria-hidden>→</span>{' '}
                    <VisuallyHidden>becomes</VisuallyHidden>{' '}
                  </>
                )}
                {said(key, becomes[key])}
              </dd>
            </div>
          ))}
        </dl>
      )}
      {faults.map((fault) => (
        <Text key={fault} size="sm" c="dimmed">
          {fault}
        </Text>
      ))}
    </>
  )
}

/** Fields stand beside the rest, by their own names. */
function flat(values: Values | null): Values {
  const { fields, ...rest } = values ?? {}
  return { ...rest, ...(isValues(fields) ? fields : {}) }
}

function isValues(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (Array.isArray(value)) return value.map(textOf).join(', ')
  return isValues(value)
    ? Object.entries(value)
        .map(([key, inner]) => `${key}: ${textOf(inner)}`)
        .join(', ')
    : String(value)
}

/** `{email: ['is missing']}` as `email is missing`; notes are words of their own. */
function problemsOf(problem: unknown): string[] {
  if (!isValues(problem)) return problem ? [textOf(problem)] : []
  return Object.entries(problem).map(([key, value]) =>
    value === true ? key.replaceAll('_', ' ') : `${key}: ${textOf(value)}`,
  )
}
