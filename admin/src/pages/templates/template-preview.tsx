import { Alert, Code, Group, SegmentedControl, Stack, Text } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { ApiError } from '@rollcall/sdk'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useAccount } from '../../api/client.ts'
import { HtmlFrame } from '../../components/html-frame.tsx'
import { Panel } from '../../components/panel.tsx'
import { PlainMail } from '../../components/plain-mail.tsx'
import { faultsByInput, problemText } from '../../components/problem.ts'
import { Loading } from '../../components/states.tsx'
import { TextLink } from '../../components/text-link.tsx'
import { ContactSelect } from '../../contacts/contact-select.tsx'
import * as en from '../../strings/en.ts'
import { PARTS, type Source } from './source.ts'

/** After a pause in typing, in ms. */
const PAUSE_MS = 300

/** A template that is not made yet is shown under this name. */
const NAMELESS = 'new'

/** For whom a template is shown; null: for whoever came last. */
export interface Beholder {
  chosen: string | null
  onChoose: (contact: string | null) => void
}

/** The mail that texts would make for somebody: whoever came last, until another is chosen. */
export function usePreview(name: string | undefined, source: Source, { chosen, onChoose }: Beholder) {
  const { id: accountId, api } = useAccount()
  const latest = useQuery({
    queryKey: [accountId, 'contacts', 'latest'],
    queryFn: async ({ signal }) => (await api.contacts.list({ per_page: 1, count: 'capped' }, { signal })).data,
  })
  const contact = chosen ?? latest.data?.[0]?.id ?? null
  const [settled] = useDebouncedValue(source, PAUSE_MS)
  const query = useQuery({
    queryKey: [accountId, 'templates', name ?? NAMELESS, 'preview', contact, settled],
    queryFn: ({ signal }) => api.mail.preview(name ?? NAMELESS, { contact: contact!, ...settled }, { signal }),
    enabled: contact !== null,
    placeholderData: keepPreviousData,
    gcTime: 0,
    retry: false,
  })
  const isFaulty = query.error instanceof ApiError && query.error.status === 422
  return {
    contact,
    onChoose,
    query,
    /** Whether there is nobody to show it for. */
    isAlone: latest.data?.length === 0,
    latestError: latest.error,
    /** What is wrong with the texts, by part: none while what is shown is not yet asked for. */
    faults: isFaulty ? faultsByInput(query.error, [...PARTS]) : {},
  }
}

export function TemplatePreview({ preview }: { preview: ReturnType<typeof usePreview> }) {
  const account = String(useAccount().id)
  const { contact, onChoose, query, isAlone, latestError, faults } = preview
  const [part, setPart] = useState<'html' | 'text'>('html')
  const mail = query.data
  const error = latestError ?? query.error
  const isToldBeside = Object.keys(faults).length > 0
  return (
    <Panel title={en.templates.preview} about={en.templates.previewAbout}>
      {isAlone ? (
        <Stack gap="xs" align="flex-start">
          <Text size="sm" c="dimmed">
            {en.templates.nobody}
          </Text>
          <TextLink to="/accounts/$account/contacts" params={{ account }}>
            {en.shell.pages.contacts}
          </TextLink>
        </Stack>
      ) : (
        <>
          <ContactSelect label={en.templates.previewFor} value={contact} onChange={onChoose} />
          {error && (
            <Alert color="red" title={en.templates.previewFault} role="alert">
              {isToldBeside
                ? Object.entries(faults).map(([where, what]) => (
                    <div key={where}>{where === 'base' ? what : `${en.templates[where as keyof Source]}: ${what}`}</div>
                  ))
                : problemText(error)}
            </Alert>
          )}
          {mail === undefined ? (
            !error && <Loading lines={8} />
          ) : (
            <>
              {mail.undefined_variables.length > 0 && !error && (
                <Alert color="yellow" title={en.templates.undefinedTitle(mail.undefined_variables.length)}>
                  <Group gap={6} mb={4}>
                    {mail.undefined_variables.map((variable) => (
                      <Code key={variable}>{variable}</Code>
                    ))}
                  </Group>
                  {en.templates.undefinedText}
                </Alert>
              )}
              <Group justify="space-between" gap="xs">
                <Text size="sm" fw={600} style={{ overflowWrap: 'anywhere', flex: 1, minWidth: '10rem' }}>
                  {mail.subject}
                </Text>
                <SegmentedControl
                  size="xs"
                  aria-label={en.templates.previewPart}
                  data={[
                    { value: 'html', label: en.templates.html },
                    { value: 'text', label: en.templates.text },
                  ]}
                  value={part}
                  onChange={(value) => setPart(value as typeof part)}
                />
              </Group>
              {part === 'html' ? (
                <HtmlFrame title={en.templates.previewFrame} html={mail.html} />
              ) : (
                <PlainMail label={en.templates.text} text={mail.text} />
              )}
              <Text size="xs" c="dimmed">
                {en.templates.samples}
              </Text>
            </>
          )}
        </>
      )}
    </Panel>
  )
}
