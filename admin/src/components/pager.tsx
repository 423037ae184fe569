import { Button, Group, Text } from '@mantine/core'
import * as en from '../strings/en.ts'

interface PagerProps {
  page: number
  perPage: number
  total: number
  onPage: (page: number) => void
}

/** Leads through numbered pages; nothing where there is only one. */
export function Pager({ page, perPage, total, onPage }: PagerProps) {
  const pages = Math.ceil(total / perPage)
  if (pages <= 1) return null
  return (
    <Group justify="flex-end" gap="sm" component="nav" aria-label={en.data.pages}>
      <Text size="sm" c="dimmed" aria-live="polite">
        {en.data.pageOf(page, pages)}
      </Text>
      <Button variant="default" size="xs" disabled={page <= 1} onClick={() => onPage(page - 1)}>
        {en.data.previous}
      </Button>
      <Button variant="default" size="xs" disabled={page >= pages} onClick={() => onPage(page + 1)}>
        {en.data.next}
      </Button>
    </Group>
  )
}
