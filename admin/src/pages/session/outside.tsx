import { Paper, Stack, Text, Title } from '@mantine/core'
import { type ReactNode, useEffect } from 'react'
import * as en from '../../strings/en.ts'
import classes from './outside.module.css'

/** The frame of the pages that stand before the session. */
export function Outside({
  title,
  heading,
  text,
  children,
}: {
  title: string
  heading: string
  text?: string
  children: ReactNode
}) {
  useEffect(() => {
    document.title = `${title} · ${en.shell.product}`
  }, [title])
  return (
    <main className={classes.ground}>
      <Stack className={classes.card} gap="lg">
        <div className={classes.brand}>
          <img src="/icon.svg" alt="" width={36} height={36} />
          <span>{en.shell.product}</span>
        </div>
        <Paper withBorder p="xl" radius="md" shadow="xs">
          <Stack>
            <div>
              <Title order={1} size="h2">
                {heading}
              </Title>
              {text && (
                <Text c="dimmed" size="sm" mt={4}>
                  {text}
                </Text>
              )}
            </div>
            {children}
          </Stack>
        </Paper>
      </Stack>
    </main>
  )
}
