import { Button, Group, Text } from '@mantine/core'
import { ListMinus, ListPlus, MailX, PencilLine, Tag, Tags, Trash2 } from 'lucide-react'
import { lazy, Suspense, useState } from 'react'
import type { Selected } from '../../contacts/contacts-table.tsx'
import type { Which } from '../../contacts/pages-query.ts'
import { en } from '../../strings/en.ts'
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
  const count = selected.all ? (total?.count ?? 0) : selected.contacts.size
  if (count === 0) return null
  return (
    <>
      <section className={classes.bulk} aria-label={en.contacts.selection.label}>
        <Group gap="sm">
          <Text size="sm" fw={600} className="figures" aria-live="polite">
            {selected.all
              ? en.contacts.selection.everyone(count, total?.capped ?? false)
              : en.contacts.selection.some(count)}
          </Text>
          {!selected.all && total && total.count > count && (
            <Button size="compact-sm" variant="subtle" onClick={() => onSelect({ all: true })}>
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

/** As the API chooses: what was searched for, or by their addresses those that were ticked. */
function selectionOf(selected: Selected, which: Which): Bulk['selection'] {
  if (selected.all) return which
  const emails = [...selected.contacts.values()].map(({ email }) => email)
  // A condition takes 1,000 values.
  const parts = Array.from({ length: Math.ceil(emails.length / 1000) }, (_, at) =>
    emails.slice(at * 1000, (at + 1) * 1000),
  )
  return { criteria: { any: parts.map((value) => ({ field: 'email', op: 'in', value })) } }
}
