import { Group, Text, Title } from '@mantine/core'
import { type ReactNode, useEffect, useRef } from 'react'
import * as en from '../strings/en.ts'
import classes from './page.module.css'

/** The first page is announced by the browser; focus that moves there would only be in the way. */
let isFirst = true

interface PageProps {
  /** Of the page and of the browser's tab. */
  title: string
  /** Instead of the title as a heading. */
  heading?: ReactNode
  /** One line below the title. */
  about?: ReactNode
  /** Buttons beside the title. */
  actions?: ReactNode
  /** Fills the window, for what scrolls in itself. */
  full?: boolean
  children: ReactNode
}

/** A page: its heading gets the focus when one navigates to it, so that readers of the screen hear where they are. */
export function Page({ title, heading, about, actions, full = false, children }: PageProps) {
  const ref = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${title} · ${en.shell.product}`
  }, [title])
  useEffect(() => {
    if (!isFirst) ref.current?.focus({ preventScroll: true })
    isFirst = false
  }, [])
  return (
    <div className={classes.page} data-full={full || undefined}>
      <Group justify="space-between" align="flex-start" gap="sm" className={classes.head}>
        <div className={classes.title}>
          <Title order={1} ref={ref} tabIndex={-1}>
            {heading ?? title}
          </Title>
          {about && (
            <Text c="dimmed" size="sm" component="div">
              {about}
            </Text>
          )}
        </div>
        {actions && <Group gap="xs">{actions}</Group>}
      </Group>
      {children}
    </div>
  )
}
