import { Group, Loader, SegmentedControl, Stack, Text } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { InvalidError } from '@rollcall/sdk'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useAccount } from '../api/client.ts'
import { exactCountQuery, previewQuery } from '../api/queries.ts'
import { problemText } from '../components/problem.ts'
import * as en from '../strings/en.ts'
import { CriteriaBuilder } from './builder.tsx'
import { JsonView } from './json-view.tsx'
import { type Node, write } from './tree.ts'
import { useVocabulary } from './vocabulary.ts'
import { describe } from './words.ts'

/** Between the last key and the question how many there are: with the answer well below half a second. */
const PAUSE_MS = 150

/**
 * How many meet criteria that are being written, and what is wrong with them. The last count stays while the next is on its way.
 * Many are "more than 10,000" first, and counted while that is there to be read.
 */
export function usePreview(tree: Node) {
  const account = useAccount()
  const [settled] = useDebouncedValue(tree, PAUSE_MS)
  const criteria = write(settled)
  const query = useQuery({ ...previewQuery(account, criteria), placeholderData: keepPreviousData })
  const isCapped = !query.isPlaceholderData && query.data?.count_is_capped === true
  const exact = useQuery({ ...exactCountQuery(account, criteria), enabled: isCapped })
  return {
    preview:
      query.error || !query.data
        ? undefined
        : {
            sample: query.data.sample,
            count: isCapped ? (exact.data ?? query.data.count) : query.data.count,
            isCapped: query.data.count_is_capped === true && !(isCapped && exact.data !== undefined),
          },
    isCounting: query.isFetching || exact.isFetching || settled !== tree,
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
  const { faults, error, isCounting } = preview
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
        <Group gap="xs" aria-live="polite">
          {isCounting && <Loader size={14} aria-label={en.criteria.counting} />}
          {preview.preview && (
            <Text size="sm" fw={600} className="figures">
              {en.criteria.found(preview.preview.count, preview.preview.isCapped)}
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
