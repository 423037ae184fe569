import { Alert, Button, Code, Group, Skeleton, Stack, Text, Title } from '@mantine/core'
import { ForbiddenError, NotFoundError, RollcallError } from '@rollcall/sdk'
import { type ErrorComponentProps, useRouter } from '@tanstack/react-router'
import { CircleAlert, Lock, type LucideIcon, SearchX } from 'lucide-react'
import { type ReactNode, useEffect, useState } from 'react'
import * as en from '../strings/en.ts'
import { useTold } from './failures.ts'
import { problemText } from './problem.ts'
import classes from './states.module.css'

interface EmptyProps {
  icon: LucideIcon
  title: string
  children?: ReactNode
  /** What can be done about it. */
  action?: ReactNode
}

/** In the place of what is not there, with what can be done about it. */
export function Empty({ icon: Icon, title, children, action }: EmptyProps) {
  return (
    <Stack align="center" gap="sm" className={classes.empty}>
      <span className={classes.mark}>
        <Icon size={22} aria-hidden />
      </span>
      <Title order={2} ta="center">
        {title}
      </Title>
      {children && (
        <Text c="dimmed" size="sm" ta="center" maw={480} component="div">
          {children}
        </Text>
      )}
      {action && <Group mt="xs">{action}</Group>}
    </Stack>
  )
}

/** In the place of what could not be loaded: refused, missing, or failed, which can be tried again. */
export function Failed({ error, retry }: { error: unknown; retry?: () => void }) {
  useTold()
  if (error instanceof ForbiddenError) return <Forbidden />
  if (error instanceof NotFoundError) return <Missing />
  return (
    <Alert color="red" variant="light" icon={<CircleAlert size={18} />} title={en.common.loadFailed} role="alert">
      <Stack align="flex-start" gap="sm">
        {problemText(error)}
        {retry && (
          <Button size="xs" variant="default" onClick={retry}>
            {en.common.retry}
          </Button>
        )}
      </Stack>
    </Alert>
  )
}

/** In the place of what the user's role does not include. */
export function Forbidden() {
  return (
    <Empty icon={Lock} title={en.common.forbidden}>
      {en.common.forbiddenText}
    </Empty>
  )
}

export function Missing() {
  return (
    <Empty icon={SearchX} title={en.common.notFound}>
      {en.common.notFoundText}
    </Empty>
  )
}

/** Of a script that could not be fetched: each browser says it in other words, all of these name the import. A browser may not fetch it anew. */
function isUnfetched(error: unknown): boolean {
  return error instanceof TypeError && /import/i.test(error.message)
}

/** In the place of a page that has thrown, or for which who is signed in could not be asked. */
export function Crashed({ error }: ErrorComponentProps) {
  const router = useRouter()
  if (error instanceof RollcallError || isUnfetched(error))
    return (
      <div className={classes.alone}>
        <Failed error={error} retry={() => (isUnfetched(error) ? location.reload() : void router.invalidate())} />
      </div>
    )
  return (
    <Empty
      icon={CircleAlert}
      title={en.common.crashed}
      action={<Button onClick={() => location.reload()}>{en.common.reload}</Button>}
    >
      {en.common.crashedText}
      <Code block mt="md" ta="left">
        {error instanceof Error ? error.message : String(error)}
      </Code>
    </Empty>
  )
}

/** Until it is said that something takes its time: nearly all that is asked for is there after a tenth of that. */
const SLOW_MS = 8_000

/** In the place of what is being loaded: so many lines, and after a while a word about it. */
export function Loading({ lines = 6, height = 18 }: { lines?: number; height?: number }) {
  const [isSlow, setSlow] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setSlow(true), SLOW_MS)
    return () => clearTimeout(timer)
  }, [])
  return (
    <Stack gap="md" aria-busy="true" aria-label={en.common.loading} role="status">
      {isSlow && (
        <Text size="sm" c="dimmed">
          {en.common.slow}
        </Text>
      )}
      {Array.from({ length: lines }, (_, line) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines that are all alike
        <Skeleton key={line} height={height} width={`${100 - ((line * 17) % 40)}%`} />
      ))}
    </Stack>
  )
}

/** In the place of a page of which it is not known yet who looks at it. */
export function Pending() {
  return (
    <div className={classes.alone}>
      <Loading />
    </div>
  )
}

interface LoadedProps<Data> {
  query: { data: Data | undefined; error: unknown; refetch: () => unknown }
  loading?: ReactNode
  children: (data: Data) => ReactNode
}

/** What a query has brought, or why it has not. Data that is there stays when a later attempt fails. */
export function Loaded<Data>({ query, loading = <Loading />, children }: LoadedProps<Data>) {
  if (query.data !== undefined) return children(query.data)
  if (query.error) return <Failed error={query.error} retry={() => void query.refetch()} />
  return loading
}
