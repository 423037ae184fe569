import { Code } from '@mantine/core'

/** The plain text of a mail, as mail programs break it. */
export function PlainMail({ label, text }: { label: string; text: string }) {
  return (
    <Code
      block
      role="region"
      aria-label={label}
      tabIndex={0}
      mah="34rem"
      style={{ overflow: 'auto', whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}
    >
      {text}
    </Code>
  )
}
