import { Tabs, type TabsListProps } from '@mantine/core'
import { useEffect, useRef } from 'react'

/** The tabs of a page. Where there is no room for all of them, the one that is open is in sight. */
export function TabList({ open, ...list }: TabsListProps & { open: string }) {
  const ref = useRef<HTMLDivElement>(null)
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is looked for anew when another is open
  useEffect(() => {
    ref.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }, [open])
  return <Tabs.List ref={ref} {...list} />
}
