import { Button, Group, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { SessionEnded } from '../api/gate.ts'
import * as en from '../strings/en.ts'
import { problemText } from './problem.ts'

/** Longer than the few seconds of a plain toast: it must be read, and decided upon. */
const UNDO_MS = 15_000

const CLOSE = { 'aria-label': en.common.close }

interface Undo {
  label?: string
  act: () => void
}

/** Says that something has been done, and offers to take it back where that can be done. */
export function done(message: string, undo?: Undo): void {
  const id = `done-${Math.random()}`
  notifications.show({
    id,
    color: 'teal',
    closeButtonProps: CLOSE,
    autoClose: undo ? UNDO_MS : 4000,
    message: undo ? (
      <Group justify="space-between" wrap="nowrap">
        <Text size="sm">{message}</Text>
        <Button
          size="compact-sm"
          variant="light"
          onClick={() => {
            notifications.hide(id)
            undo.act()
          }}
        >
          {undo.label ?? en.common.undo}
        </Button>
      </Group>
    ) : (
      message
    ),
  })
}

/** Says that something has not been done, and why. Who has left instead of signing in again knows. */
export function failed(error: unknown, title: string = en.common.failed): void {
  if (error instanceof SessionEnded) return
  notifications.show({ closeButtonProps: CLOSE, color: 'red', title, message: problemText(error), autoClose: 10_000 })
}
