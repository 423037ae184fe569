import { Alert, Group, SegmentedControl, Text } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useAccount } from '../../api/client.ts'
import { accountQuery } from '../../api/queries.ts'
import { HtmlFrame } from '../../components/html-frame.tsx'
import { languageOptions } from '../../components/languages.ts'
import { Panel } from '../../components/panel.tsx'
import { problemText } from '../../components/problem.ts'
import { Loading } from '../../components/states.tsx'
import * as en from '../../strings/en.ts'
import { type Draft, settingsOf } from './draft.ts'

/** After a pause in typing, in ms. */
const PAUSE_MS = 250

/** The page that a draft would make, as the service renders it. */
export function FormPreview({ draft }: { draft: Draft }) {
  const account = useAccount()
  const { data: settings } = useQuery(accountQuery(account))
  const [chosen, setLanguage] = useState<string>()
  const [shows, setShows] = useState<'form' | 'success'>('form')
  const language = chosen ?? settings?.language
  const [settled] = useDebouncedValue(draft, PAUSE_MS)
  // What the page does not show is not asked with: a name that is half written makes no new picture.
  const { name: _, frame_origins: __, list_ids: ___, welcome_template: ____, ...shown } = settingsOf(settled)
  const body = { ...shown, shows, ...(language ? { language } : {}) }
  const query = useQuery({
    queryKey: [account.id, 'forms', 'preview', body],
    queryFn: ({ signal }) => account.api.forms.preview(body, { signal }),
    placeholderData: keepPreviousData,
    gcTime: 0,
  })
  const redirect = draft.redirect_url.trim()
  return (
    <Panel title={en.forms.preview} about={en.forms.previewAbout}>
      <Group gap="xs">
        <SegmentedControl
          size="xs"
          aria-label={en.forms.previewWhat}
          data={[
            { value: 'form', label: en.forms.previewForm },
            { value: 'success', label: en.forms.previewSuccess },
          ]}
          value={shows}
          onChange={(value) => setShows(value as typeof shows)}
        />
        <SegmentedControl
          size="xs"
          aria-label={en.forms.previewLanguage}
          data={languageOptions(settings?.languages ?? [])}
          value={language ?? ''}
          onChange={(value) => setLanguage(value)}
        />
      </Group>
      {query.error && (
        <Alert color="red" title={en.forms.previewFault} role="alert">
          {problemText(query.error)}
        </Alert>
      )}
      {shows === 'success' && redirect !== '' ? (
        <Text size="sm">{en.forms.previewRedirect(redirect)}</Text>
      ) : query.data === undefined ? (
        !query.error && <Loading lines={8} />
      ) : (
        <HtmlFrame title={en.forms.previewTitle} html={query.data} />
      )}
    </Panel>
  )
}
