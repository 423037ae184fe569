import { Group, Loader, SegmentedControl, Stack, Text } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { InvalidError } from '@rollcall/sdk'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useAccount } from '../api/client.ts'
import { exactCountQuery, previewQuery } from '../api/queries.ts'
import { problemText } from '../components/problem.ts'
import type { Known } from '../strings/en/common.ts'
import * as en from '../strings/en.ts'
import { CriteriaBuilder } from './builder.tsx'
import { JsonView } from './json-view.tsx'
import { type Node, write } from './tree.ts'
import { useVocabulary } from './vocabulary.ts'
import { describe } from './words.ts'

/** Changes that follow each other sooner than this are asked about once, after the last of them; a single one at once. */
const PAUSE_MS = 100
/** So long the criteria stay before what is not known at once is counted: the service counts on for criteria that nobody waits for any more. */
const REST_MS = 400

/** How many meet criteria, and a few of them. */
interface Found {
  sample: { id: string; email: string }[]
  count: number
  /** Whether that is their number, or there are more, or about so many. */
  known: Known
}

/**
 * How many meet criteria that are being written, and what is wrong with them. Many are "more than 10,000" first, what takes long
 * is "about" so many, and they are counted while that is there to be read. `found` is of the criteria as they stand; `before` of others, while these are on their way.
 */
export function usePreview(tree: Node) {
  const account = useAccount()
  const [settled] = useDebouncedValue(tree, PAUSE_MS, { leading: true })
  const [rested] = useDebouncedValue(settled, REST_MS)
  const criteria = write(settled)
  const query = useQuery({ ...previewQuery(account, criteria), placeholderData: keepPreviousData })
  const isBehind = query.isPlaceholderData || settled !== tree
  const known: Known = query.data?.count_is_capped ? 'at least' : query.data?.count_is_estimated ? 'about' : 'exactly'
  const isOpen = known !== 'exactly' && !query.isPlaceholderData
  const exact = useQuery({ ...exactCountQuery(account, criteria), enabled: isOpen && rested === settled })
  const all = isOpen ? exact.data : undefined
  const last: Found | undefined =
    query.error || !query.data
      ? undefined
      : {
          sample: all?.sample ?? query.data.sample,
          count: all?.count ?? query.data.count,
          known: all === undefined ? known : 'exactly',
        }
  return {
    found: isBehind ? undefined : last,
    before: isBehind ? last : undefined,
    isCounting: isBehind || query.isFetching || (isOpen && all === undefined && !exact.error),
    error: query.error,
    faults: query.error instanceof InvalidError ? query.error.fields : undefined,
  }
}

type Preview = ReturnType<typeof usePreview>

/** The builder, its JSON, what it says in plain language, and how many that are. */
export function CriteriaEditor({
  tree,
  onChange,
  preview,
}: {
  tree: Node
  onChange: (tree: Node) => void
  preview: Preview
}) {
  const vocabulary = useVocabulary()
  const [view, setView] = useState<'builder' | 'json'>('builder')
  const { found, before, faults, error, isCounting } = preview
  return (
    <Stack gap="sm">
      <Group justify="space-between">
        <SegmentedControl
          size="xs"
          value={view}
          onChange={setView}
          data={[
            { value: 'builder', label: en.criteria.builder },
            { value: 'json', label: en.criteria.json },
          ]}
        />
        <Group gap="xs" role="status" aria-busy={isCounting}>
          {isCounting && <Loader size={14} role="img" aria-label={en.criteria.counting} />}
          {found && (
            <Text size="sm" fw={600} className="figures">
              {en.criteria.found(found.count, found.known)}
            </Text>
          )}
          {before && (
            <Text size="sm" c="dimmed" className="figures">
              {en.criteria.before(before.count, before.known)}
            </Text>
          )}
        </Group>
      </Group>
      {view === 'builder' ? (
        <CriteriaBuilder tree={tree} onChange={onChange} {...(faults ? { faults } : {})} />
      ) : (
        <JsonView tree={tree} onChange={onChange} />
      )}
      {error && (view === 'json' || !faults) ? (
        <Text size="sm" c="var(--mantine-color-error)" role="alert">
          {problemText(error)}
        </Text>
      ) : (
        <Text size="sm" c="dimmed">
          {describe(tree, vocabulary)}.
        </Text>
      )}
    </Stack>
  )
}
