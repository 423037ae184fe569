import { Button, Group, Modal, Text } from '@mantine/core'
import { useBlocker } from '@tanstack/react-router'
import * as en from '../strings/en.ts'

interface Props {
  isDirty: boolean
  /** Another tab of the same page takes it away as well. */
  isTab?: boolean
}

/** Asks before a page is left on which something is not saved. */
export function LeaveGuard({ isDirty, isTab = false }: Props) {
  const { status, proceed, reset } = useBlocker({
    shouldBlockFn: ({ current, next }) => isDirty && (isTab || current.pathname !== next.pathname),
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
