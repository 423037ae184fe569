import { Button, Group, Modal, Radio, Stack, Text } from '@mantine/core'
import { useState } from 'react'
import { shownValue } from '../../contacts/shown-value.ts'
import { en } from '../../strings/en.ts'
import type { Conflict } from './use-saving.ts'

interface Props {
  conflicts: readonly Conflict[]
  label: (name: string) => string
  onCancel: () => void
  /** By their names, the values of mine that are to stay. */
  onDecide: (mine: ReadonlySet<string>) => void
}

/** Two people have changed the same values: both are shown, and one is chosen. */
export function ConflictDialog({ conflicts, label, onCancel, onDecide }: Props) {
  const [mine, setMine] = useState<ReadonlySet<string>>(new Set())
  const shown = (value: unknown) => (Array.isArray(value) ? value.join(', ') : shownValue(value)) || en.contact.nothing
  return (
    <Modal
      opened
      onClose={onCancel}
      title={en.contact.conflictTitle}
      size="lg"
      closeButtonProps={{ 'aria-label': en.common.close }}
    >
      <Stack>
        <Text size="sm">{en.contact.conflictText}</Text>
        {conflicts.map(({ name, to, theirs }) => (
          <Radio.Group
            key={name}
            label={label(name)}
            value={mine.has(name) ? 'mine' : 'theirs'}
            onChange={(choice) => {
              const next = new Set(mine)
              if (choice === 'mine') next.add(name)
              else next.delete(name)
              setMine(next)
            }}
          >
            <Stack gap={6} mt={6}>
              <Radio value="theirs" label={`${en.contact.theirs}: ${shown(theirs)}`} />
              <Radio value="mine" label={`${en.contact.yours}: ${shown(to)}`} />
            </Stack>
          </Radio.Group>
        ))}
        <Group justify="flex-end">
          <Button variant="default" onClick={onCancel}>
            {en.common.cancel}
          </Button>
          <Button onClick={() => onDecide(mine)}>{en.contact.save}</Button>
        </Group>
      </Stack>
    </Modal>
  )
}
