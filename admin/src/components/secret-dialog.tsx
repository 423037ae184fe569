import { Alert, Button, Code, CopyButton, Group, Modal, Stack } from '@mantine/core'
import { KeyRound } from 'lucide-react'
import * as en from '../strings/en.ts'

interface SecretDialogProps {
  /** What is shown only this once; undefined: closed. */
  secret: string | undefined
  title: string
  text: string
  onClose: () => void
}

/** Shows what is never shown again. It closes by its button alone, not by a click beside it. */
export function SecretDialog({ secret, title, text, onClose }: SecretDialogProps) {
  return (
    <Modal
      opened={secret !== undefined}
      onClose={onClose}
      title={title}
      closeOnClickOutside={false}
      closeButtonProps={{ 'aria-label': en.common.close }}
      size="lg"
    >
      <Stack>
        <Alert color="yellow" icon={<KeyRound size={18} />}>
          {text}
        </Alert>
        <Code block tabIndex={0} data-secret style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }}>
          {secret}
        </Code>
        <Group justify="flex-end">
          <CopyButton value={secret ?? ''}>
            {({ copied, copy }) => <Button onClick={copy}>{copied ? en.common.copied : en.common.copy}</Button>}
          </CopyButton>
          <Button variant="default" onClick={onClose}>
            {en.common.close}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
