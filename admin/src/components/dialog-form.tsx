import { Alert, Button, Group, Stack } from '@mantine/core'
import type { ReactNode } from 'react'
import * as en from '../strings/en.ts'

interface DialogFormProps {
  /** What sends it: a mutation. */
  act: { mutate: () => void; isPending: boolean }
  /** What is wrong that no input tells of. */
  problem?: string | undefined
  /** On the button that sends it. */
  submit: string
  isDisabled?: boolean
  onClose: () => void
  /** The inputs. */
  children: ReactNode
}

/** The form in a dialog: its inputs, what is wrong, and the buttons that leave and send it. */
export function DialogForm({ act, problem, submit, isDisabled = false, onClose, children }: DialogFormProps) {
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        act.mutate()
      }}
    >
      <Stack>
        {children}
        {problem && (
          <Alert color="red" role="alert">
            {problem}
          </Alert>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {en.common.cancel}
          </Button>
          <Button type="submit" loading={act.isPending} disabled={isDisabled}>
            {submit}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
