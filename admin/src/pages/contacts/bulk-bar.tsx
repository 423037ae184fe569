import { Button, Group, Text } from '@mantine/core'
import { ListMinus, ListPlus, MailX, PencilLine, Tag, Tags, Trash2 } from 'lucide-react'
import { lazy, Suspense, useState } from 'react'
import { EVERYBODY, type Selected } from '../../contacts/contacts-table.tsx'
import type { Which } from '../../contacts/pages-query.ts'
import * as en from '../../strings/en.ts'
import classes from './contacts.module.css'
import type { Action, Bulk } from './use-bulk.ts'

const BulkDialog = lazy(async () => ({ default: (await import('./bulk-dialog.tsx')).BulkDialog }))

const ACTIONS: [Action['type'], typeof Tag][] = [
  ['add_tags', Tag],
  ['remove_tags', Tags],
  ['add_to_list', ListPlus],
  ['remove_from_list', ListMinus],
  ['update', PencilLine],
  ['unsubscribe', MailX],
  ['delete', Trash2],
]

interface Props {
  selected: Selected
  which: Which
  total: { count: number; capped: boolean } | undefined
  onSelect: (selected: Selected) => void
  onClear: () => void
}

/** What can be done with who is selected. */
export function BulkBar({ selected, which, total, onSelect, onClear }: Props) {
  const [type, setType] = useState<Action['type']>()
  const { all, marked } = selected
  const count = all ? (total?.count ?? 0) - marked.size : marked.size
  if (count === 0) return null
  return (
    <>
      <section className={classes.bulk} aria-label={en.contacts.selection.label}>
        <Group gap="sm">
          <Text size="sm" fw={600} className="figures" aria-live="polite">
            {all
              ? en.contacts.selection.everyone(total?.count ?? 0, total?.capped ?? false, marked.size)
              : en.contacts.selection.some(count)}
          </Text>
          {total && total.count > count && (
            <Button size="compact-sm" variant="subtle" onClick={() => onSelect(EVERYBODY)}>
              {en.contacts.selection.takeAll(total.count, total.capped)}
            </Button>
          )}
          <Button size="compact-sm" variant="subtle" color="gray" onClick={onClear}>
            {en.contacts.selection.clear}
          </Button>
        </Group>
        <Group gap={4}>
          {ACTIONS.map(([action, Icon]) => (
            <Button
              key={action}
              size="compact-sm"
              variant="default"
              {...(action === 'delete' ? { c: 'var(--mantine-color-error)' } : {})}
              leftSection={<Icon size={14} aria-hidden />}
              onClick={() => setType(action)}
            >
              {en.contacts.bulk[action]}
            </Button>
          ))}
        </Group>
      </section>
      {type && (
        <Suspense>
          <BulkDialog
            type={type}
            selection={selectionOf(selected, which)}
            onClose={() => {
              setType(undefined)
              onClear()
            }}
          />
        </Suspense>
      )}
    </>
  )
}

/** A condition takes so many values. */
const MOST_VALUES = 1000

/** As the API chooses: by their addresses those that were ticked, or what was searched for without those. */
function selectionOf({ all, marked }: Selected, which: Which): Bulk['selection'] {
  const emails = [...marked.values()]
  const parts = Array.from({ length: Math.ceil(emails.length / MOST_VALUES) }, (_, at) => ({
    field: 'email',
    op: 'in',
    value: emails.slice(at * MOST_VALUES, (at + 1) * MOST_VALUES),
  }))
  if (!all) return { criteria: { any: parts } }
  if (parts.length === 0) return which
  return { ...which, criteria: { all: [...(which.criteria ? [which.criteria] : []), { not: { any: parts } }] } }
}
