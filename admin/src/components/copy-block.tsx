import { Button, Code, CopyButton, Group, Text } from '@mantine/core'
import type { ReactNode } from 'react'
import * as en from '../strings/en.ts'

interface CopyBlockProps {
  /** What the code is; tells buttons apart for readers of the screen. */
  title: string
  about?: ReactNode
  code: string
}

/** Code to be taken elsewhere, with a button that copies it. */
export function CopyBlock({ title, about, code }: CopyBlockProps) {
  return (
    <div>
      <Group justify="space-between" align="flex-end" gap="xs" mb={6}>
        <div>
          <Text size="sm" fw={600}>
            {title}
          </Text>
          {about && (
            <Text size="sm" c="dimmed" component="div">
              {about}
            </Text>
          )}
        </div>
        <CopyButton value={code}>
          {({ copied, copy }) => (
            <Button size="xs" variant="default" aria-label={en.common.copyOf(title, copied)} onClick={copy}>
              {copied ? en.common.copied : en.common.copy}
            </Button>
          )}
        </CopyButton>
      </Group>
      <Code block tabIndex={0} mah={260} style={{ overflow: 'auto' }}>
        {code}
      </Code>
    </div>
  )
}
