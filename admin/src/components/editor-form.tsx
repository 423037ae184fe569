import { Alert, Button, Stack, Text } from '@mantine/core'
import type { ReactNode } from 'react'
import { useAccount } from '../api/client.ts'
import * as en from '../strings/en.ts'
import classes from './editor-form.module.css'
import { LeaveGuard } from './leave-guard.tsx'

interface EditorFormProps {
  /** What saves it: a mutation. */
  act: { mutate: () => void; isPending: boolean }
  /** What is wrong that no input tells of. */
  problem?: string | undefined
  /** On the button that saves it. */
  submit: string
  /** Whether there is nothing yet that it would be saved over. */
  isNew: boolean
  isDirty: boolean
  /** What it makes, beside the inputs, or below them where there is no room. */
  beside: ReactNode
  /** The inputs: whoever may not write sees them, and can not change them. */
  children: ReactNode
}

/** Many inputs with what they make beside them. What is not saved is not left without a question. */
export function EditorForm({ act, problem, submit, isNew, isDirty, beside, children }: EditorFormProps) {
  const { canWrite } = useAccount()
  return (
    <form
      className={classes.split}
      onSubmit={(event) => {
        event.preventDefault()
        act.mutate()
      }}
    >
      <Stack>
        {!canWrite && <Alert color="gray">{en.shell.viewer}</Alert>}
        <fieldset className={classes.inputs} disabled={!canWrite}>
          {children}
        </fieldset>
        {problem && (
          <Alert color="red" role="alert">
            {problem}
          </Alert>
        )}
        {canWrite && (
          <div className={classes.save}>
            <Text size="sm" c="dimmed" aria-live="polite">
              {!isNew && isDirty ? en.common.unsaved : ''}
            </Text>
            <Button type="submit" loading={act.isPending} disabled={!isNew && !isDirty}>
              {submit}
            </Button>
          </div>
        )}
      </Stack>
      <div className={classes.beside}>{beside}</div>
      <LeaveGuard isDirty={isDirty} />
    </form>
  )
}
