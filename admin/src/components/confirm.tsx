import { Alert, Button, Group, Modal, Stack } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import * as en from '../strings/en.ts'
import { problemText } from './problem.ts'

interface ConfirmProps {
  opened: boolean
  onClose: () => void
  title: string
  /** What will happen, in numbers. */
  children: ReactNode
  /** What the button says: the act itself, never `OK`. */
  action: string
  act: () => Promise<unknown>
  isDangerous?: boolean
  disabled?: boolean
}

/** Asks before an act, which runs while the dialog waits; what fails is said in the dialog. */
export function Confirm({ opened, onClose, title, children, action, act, isDangerous, disabled }: ConfirmProps) {
  const run = useMutation({ mutationFn: act, onSuccess: onClose })
  const close = () => {
    run.reset()
    onClose()
  }
  return (
    <Modal opened={opened} onClose={close} title={title} closeButtonProps={{ 'aria-label': en.common.close }}>
      <Stack>
        {children}
        {run.error && (
          <Alert color="red" role="alert">
            {problemText(run.error)}
          </Alert>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            {en.common.cancel}
          </Button>
          <Button
            {...(isDangerous ? { color: 'red.8' } : {})}
            loading={run.isPending}
            disabled={disabled ?? false}
            onClick={() => run.mutate()}
          >
            {action}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
