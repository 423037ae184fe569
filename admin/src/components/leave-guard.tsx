import { Button, Group, Modal, Text } from '@mantine/core'
import { useBlocker } from '@tanstack/react-router'
import * as en from '../strings/en.ts'

/** Asks before a page is left on which something is not saved. */
export function LeaveGuard({ isDirty }: { isDirty: boolean }) {
  const { status, proceed, reset } = useBlocker({
    // Another tab of the same page leaves nothing.
    shouldBlockFn: ({ current, next }) => isDirty && current.pathname !== next.pathname,
    enableBeforeUnload: () => isDirty,
    withResolver: true,
  })
  return (
    <Modal
      opened={status === 'blocked'}
      onClose={() => reset?.()}
      title={en.contact.leaveTitle}
      closeButtonProps={{ 'aria-label': en.common.close }}
    >
      <Text size="sm">{en.contact.leaveText}</Text>
      <Group justify="flex-end" mt="md">
        <Button variant="default" onClick={() => proceed?.()}>
          {en.contact.leave}
        </Button>
        <Button data-autofocus onClick={() => reset?.()}>
          {en.contact.stay}
        </Button>
      </Group>
    </Modal>
  )
}
