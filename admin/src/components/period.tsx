import { SegmentedControl } from '@mantine/core'
import * as en from '../strings/en.ts'

/** How many days back curves begin. */
export function Period({ days, onChange }: { days: string; onChange: (days: string) => void }) {
  return (
    <SegmentedControl
      size="xs"
      aria-label={en.home.period}
      data={Object.entries(en.home.periods).map(([value, label]) => ({ value, label }))}
      value={days}
      onChange={onChange}
    />
  )
}
