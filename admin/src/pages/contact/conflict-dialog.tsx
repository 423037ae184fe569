import { Button, Group, Modal, Radio, Stack, Text } from '@mantine/core'
import { useState } from 'react'
import { useFocusBack } from '../../components/focus-back.ts'
import * as en from '../../strings/en.ts'
import { TheirChanges, useWording } from './their-changes.tsx'
import type { Change, Conflict } from './use-saving.ts'

interface Props {
  conflicts: readonly Conflict[]
  /** All that the other has changed. */
  theirs: readonly Change[]
  onCancel: () => void
  /** By their names, the values of mine that are to stay. */
  onDecide: (mine: ReadonlySet<string>) => void
}

/** Two people have changed the same values: both are shown, and one is chosen. */
export function ConflictDialog({ conflicts, theirs, onCancel, onDecide }: Props) {
  useFocusBack()
  const [mine, setMine] = useState<ReadonlySet<string>>(new Set())
  const { label, shown } = useWording()
  const others = theirs.filter(({ name }) => !conflicts.some((conflict) => conflict.name === name))
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
        {conflicts.map((conflict) => (
          <Radio.Group
            key={conflict.name}
            label={label(conflict)}
            value={mine.has(conflict.name) ? 'mine' : 'theirs'}
            onChange={(choice) => {
              const next = new Set(mine)
              if (choice === 'mine') next.add(conflict.name)
              else next.delete(conflict.name)
              setMine(next)
            }}
          >
            <Stack gap={6} mt={6}>
              <Radio value="theirs" label={`${en.contact.theirs}: ${shown(conflict, conflict.theirs)}`} />
              <Radio value="mine" label={`${en.contact.yours}: ${shown(conflict, conflict.to)}`} />
            </Stack>
          </Radio.Group>
        ))}
        {others.length > 0 && (
          <div>
            <Text size="sm" fw={600}>
              {en.contact.theyAlso}
            </Text>
            <TheirChanges changes={others} />
          </div>
        )}
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
