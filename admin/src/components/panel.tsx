import { Group, Paper, Stack, Text, Title } from '@mantine/core'
import type { ReactNode } from 'react'
import classes from './page.module.css'

interface PanelProps {
  title?: string
  about?: ReactNode
  actions?: ReactNode
  children: ReactNode
}

/** A part of a page, on its own ground. */
export function Panel({ title, about, actions, children }: PanelProps) {
  return (
    <Paper withBorder radius="md" p="lg" component="section">
      <Stack gap="md">
        {title && (
          <Group justify="space-between" align="flex-start" gap="sm">
            <div className={classes.panelHead}>
              <Title order={2}>{title}</Title>
              {about && (
                <Text size="sm" c="dimmed" component="div">
                  {about}
                </Text>
              )}
            </div>
            {actions && <Group gap="xs">{actions}</Group>}
          </Group>
        )}
        {children}
      </Stack>
    </Paper>
  )
}
