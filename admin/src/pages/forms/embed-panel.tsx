import { Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useAccount } from '../../api/client.ts'
import type { Form } from '../../api/queries.ts'
import { CopyBlock } from '../../components/copy-block.tsx'
import { Panel } from '../../components/panel.tsx'
import { Loaded, Loading } from '../../components/states.tsx'
import * as en from '../../strings/en.ts'

/** What puts a saved form on a website: its address, plain HTML, a frame. */
export function EmbedPanel({ form }: { form: Form }) {
  const { id: accountId, api } = useAccount()
  const query = useQuery({
    // With each version another button or field may stand in it.
    queryKey: [accountId, 'forms', form.id, 'embed', form.version],
    queryFn: ({ signal }) => api.forms.embed(form.id, { signal }),
  })
  return (
    <Panel title={en.forms.embed} about={en.forms.embedAbout}>
      <Loaded query={query} loading={<Loading lines={4} />}>
        {({ url, html, iframe }) => (
          <Stack gap="lg">
            <CopyBlock title={en.forms.link} code={url} />
            <CopyBlock title={en.forms.html} about={en.forms.htmlAbout} code={html} />
            <CopyBlock
              title={en.forms.frame}
              about={
                form.frame_origins.length > 0 ? (
                  en.forms.frameAbout
                ) : (
                  <Text size="sm" c="var(--warning)">
                    {en.forms.frameMissing}
                  </Text>
                )
              }
              code={iframe}
            />
          </Stack>
        )}
      </Loaded>
    </Panel>
  )
}
