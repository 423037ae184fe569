import { Anchor, Button, Modal, Text } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Webhook as WebhookIcon } from 'lucide-react'
import { useState } from 'react'
import { useAccount } from '../../api/client.ts'
import { Page } from '../../components/page.tsx'
import { Pager } from '../../components/pager.tsx'
import { SecretDialog } from '../../components/secret-dialog.tsx'
import { Empty, Loaded } from '../../components/states.tsx'
import { Rows } from '../../components/table.tsx'
import { Time } from '../../components/time.tsx'
import * as en from '../../strings/en.ts'
import { WebhookForm } from './webhook-form.tsx'
import { WebhookState } from './webhook-state.tsx'

const PER_PAGE = 25

export function WebhooksPage() {
  const { id: accountId, api, canWrite } = useAccount()
  const client = useQueryClient()
  const [page, setPage] = useState(1)
  const [isMaking, setMaking] = useState(false)
  const [secret, setSecret] = useState<string>()
  const query = useQuery({
    queryKey: [accountId, 'webhooks', 'page', page],
    queryFn: ({ signal }) => api.call('listWebhooks', { query: { page, per_page: PER_PAGE } }, { signal }),
  })
  const start = canWrite && <Button onClick={() => setMaking(true)}>{en.webhooks.start}</Button>
  return (
    <Page title={en.webhooks.title} about={en.webhooks.about} actions={query.data?.total === 0 ? null : start}>
      <Loaded query={query}>
        {({ data, total }) =>
          data.length === 0 ? (
            <Empty icon={WebhookIcon} title={en.webhooks.none} action={start}>
              {en.webhooks.noneText}
            </Empty>
          ) : (
            <>
              <Rows
                label={en.webhooks.title}
                rows={data}
                keyOf={({ id }) => id}
                columns={[
                  {
                    title: en.webhooks.url,
                    cell: ({ id, url, description }) => (
                      <>
                        <Anchor
                          size="sm"
                          fw={600}
                          renderRoot={(props) => (
                            <Link
                              {...props}
                              to="/accounts/$account/webhooks/$webhook"
                              params={{ account: String(accountId), webhook: String(id) }}
                            />
                          )}
                        >
                          {url}
                        </Anchor>
                        <Text size="xs" c="dimmed">
                          {description}
                        </Text>
                      </>
                    ),
                  },
                  { title: en.webhooks.status, cell: (webhook) => <WebhookState webhook={webhook} /> },
                  { title: en.webhooks.told, cell: ({ types }) => types?.join(', ') ?? en.webhooks.everything },
                  { title: en.webhooks.made, cell: ({ created_at }) => <Time at={created_at} /> },
                ]}
              />
              <Pager page={page} perPage={PER_PAGE} total={total ?? 0} onPage={setPage} />
            </>
          )
        }
      </Loaded>
      <Modal
        opened={isMaking}
        onClose={() => setMaking(false)}
        title={en.webhooks.start}
        closeButtonProps={{ 'aria-label': en.common.close }}
      >
        <WebhookForm
          onClose={() => setMaking(false)}
          onMade={(made) => {
            setMaking(false)
            setSecret(made)
            void client.invalidateQueries({ queryKey: [accountId, 'webhooks'] })
          }}
        />
      </Modal>
      <SecretDialog
        secret={secret}
        title={en.webhooks.secretTitle}
        text={en.webhooks.secretText}
        onClose={() => setSecret(undefined)}
      />
    </Page>
  )
}
