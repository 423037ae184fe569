import { Stack, Text } from '@mantine/core'
import type { Import } from '@rollcall/sdk'
import { number } from '../../strings/en/common.ts'
import * as en from '../../strings/en.ts'
import classes from './imports.module.css'

const PARTS = [
  ['created', 'created_contacts_count', 'teal-7'],
  ['updated', 'updated_contacts_count', 'indigo-5'],
  ['unchanged', 'unchanged_contacts_count', 'gray-5'],
  ['duplicate', 'duplicate_rows_count', 'gray-4'],
  ['rejected', 'rejected_rows_count', 'red-6'],
  ['suppressed', 'suppressed_contacts_count', 'orange-6'],
  ['notApplied', 'not_applied_rows_count', 'yellow-6'],
] as const

/** What became of every row, in numbers that add up to the rows of the file. */
export function Counts({ state }: { state: Import }) {
  const shown = PARTS.filter(([name, key]) => state[key] > 0 || name === 'created' || name === 'updated')
  const sum = PARTS.reduce((total, [, key]) => total + state[key], 0)
  return (
    <Stack gap="md">
      <div className={classes.bar} aria-hidden>
        {shown.map(([name, key, color]) => (
          <div key={name} style={{ flexGrow: state[key], background: `var(--mantine-color-${color})` }} />
        ))}
      </div>
      <div className={classes.counts}>
        {shown.map(([name, key, color]) => (
          <div key={name} data-count={name}>
            <Text fz={26} fw={650} lh={1.2} className="figures">
              {number(state[key])}
            </Text>
            <Text size="sm" c="dimmed">
              <span className={classes.swatch} style={{ background: `var(--mantine-color-${color})` }} aria-hidden />
              {en.imports.counts[name]}
            </Text>
          </div>
        ))}
      </div>
      <Text size="sm" c="dimmed">
        {en.imports.sum(sum)}
        {state.opted_out_contacts_count > 0 && ` · ${en.imports.optedOut(state.opted_out_contacts_count)}`}
        {state.kept_unsubscribed_contacts_count > 0 &&
          ` · ${en.imports.keptUnsubscribed(state.kept_unsubscribed_contacts_count)}`}
      </Text>
    </Stack>
  )
}
