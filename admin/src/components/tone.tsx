import { Badge } from '@mantine/core'

/** How it stands with something, in a word and a colour. */
export type Tone = 'good' | 'busy' | 'warning' | 'bad' | 'quiet'

const COLORS: Record<Tone, string> = { good: 'teal', busy: 'indigo', warning: 'yellow', bad: 'red', quiet: 'gray' }

/** Where the colour's own text is too pale on its own light ground. */
const TEXTS: Partial<Record<Tone, string>> = { good: 'var(--good)', warning: 'var(--warning)' }

export function Toned({ tone, children }: { tone: Tone; children: string }) {
  return (
    <Badge
      color={COLORS[tone]}
      variant="light"
      radius="sm"
      tt="none"
      fw={600}
      miw="max-content"
      {...(tone in TEXTS ? { c: TEXTS[tone]! } : {})}
    >
      {children}
    </Badge>
  )
}
