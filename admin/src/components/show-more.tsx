import { Button } from '@mantine/core'
import * as en from '../strings/en.ts'

interface ShowMoreProps {
  /** What is read page by page. */
  query: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => Promise<unknown> }
  words?: string
  size?: 'xs' | 'sm'
}

/** Reads the next page; nothing where there is none. */
export function ShowMore({ query, words = en.data.showMore, size = 'xs' }: ShowMoreProps) {
  if (!query.hasNextPage) return null
  return (
    <Button variant="default" size={size} loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
      {words}
    </Button>
  )
}
