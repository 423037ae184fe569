import { Alert, Button, Group } from '@mantine/core'
import { useUntoldFailures } from '../components/failures.ts'
import { problemText } from '../components/problem.ts'
import * as en from '../strings/en.ts'
import classes from './shell.module.css'

/** Over a page of which a part could not be loaded that has no place to say so. Goes by itself once that is there. */
export function Incomplete() {
  const { error, retry } = useUntoldFailures()
  if (error === null) return null
  return (
    <Alert color="red" className={classes.incomplete} title={en.common.incomplete} role="alert">
      <Group justify="space-between" gap="sm">
        <span>{problemText(error)}</span>
        <Button size="xs" variant="default" onClick={retry}>
          {en.common.retry}
        </Button>
      </Group>
    </Alert>
  )
}
