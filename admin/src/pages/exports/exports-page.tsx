import { Anchor, Button, Checkbox, Group, Modal, Select, Text } from '@mantine/core'
import type { Export } from '@rollcall/sdk'
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Download } from 'lucide-react'
import { useState } from 'react'
import { useAccount } from '../../api/client.ts'
import { listsQuery } from '../../api/queries.ts'
import { Confirm } from '../../components/confirm.tsx'
import { DialogForm } from '../../components/dialog-form.tsx'
import { Page } from '../../components/page.tsx'
import { Pager } from '../../components/pager.tsx'
import { problemText } from '../../components/problem.ts'
import { Empty, Loaded } from '../../components/states.tsx'
import { Rows } from '../../components/table.tsx'
import { Time } from '../../components/time.tsx'
import { type Tone, Toned } from '../../components/tone.tsx'
import * as en from '../../strings/en.ts'

const PER_PAGE = 25
const POLL_MS = 1000
const TONES: Record<Export['phase'], Tone> = {
  queued: 'busy',
  running: 'busy',
  finished: 'good',
  failed: 'bad',
  expired: 'quiet',
}

export function ExportsPage() {
  const { id: accountId, api, canWrite } = useAccount()
  const client = useQueryClient()
  const [page, setPage] = useState(1)
  const [isAsking, setAsking] = useState(false)
  const [leaving, setLeaving] = useState<number>()
  const query = useQuery({
    queryKey: [accountId, 'exports', page],
    queryFn: ({ signal }) => api.call('listExports', { query: { page, per_page: PER_PAGE } }, { signal }),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) =>
      state.data?.data.some(({ phase }) => phase === 'queued' || phase === 'running') ? POLL_MS : false,
  })
  const again = () => client.invalidateQueries({ queryKey: [accountId, 'exports'] })
  const start = canWrite && <Button onClick={() => setAsking(true)}>{en.exports.start}</Button>
  return (
    <Page title={en.exports.title} about={en.exports.about} actions={query.data?.total === 0 ? null : start}>
      <Loaded query={query}>
        {({ data, total }) =>
          data.length === 0 ? (
            <Empty icon={Download} title={en.exports.none} action={start}>
              {en.exports.noneText}
            </Empty>
          ) : (
            <>
              <Rows
                label={en.exports.title}
                rows={data}
                keyOf={({ id }) => id}
                columns={[
                  {
                    title: en.exports.file,
                    cell: ({ id, format }) => `${en.exports.one(id)}, ${en.exports.formats[format]}`,
                  },
                  {
                    title: en.exports.status,
                    cell: ({ phase, error }) => (
                      <>
                        <Toned tone={TONES[phase]}>{en.exports.phases[phase]}</Toned>
                        {error && <Text size="xs">{error}</Text>}
                      </>
                    ),
                  },
                  {
                    title: en.exports.contacts,
                    isFigure: true,
                    cell: ({ progress }) => en.exports.written(progress.written),
                  },
                  {
                    title: en.exports.size,
                    isFigure: true,
                    cell: ({ bytes }) => (bytes === null ? '' : en.imports.bytes(bytes)),
                  },
                  { title: en.exports.made, cell: ({ created_at }) => <Time at={created_at} /> },
                  {
                    title: en.exports.until,
                    cell: ({ expires_at: at }) => (at === null ? null : <Time at={at} />),
                  },
                  {
                    title: en.exports.actions,
                    isTitleHidden: true,
                    cell: ({ id, url }) => (
                      <Group gap="sm" wrap="nowrap">
                        {url && (
                          <Anchor size="sm" href={onThisOrigin(url)} download aria-label={en.exports.downloadOf(id)}>
                            {en.exports.download}
                          </Anchor>
                        )}
                        {canWrite && (
                          <Button
                            size="xs"
                            variant="default"
                            aria-label={en.exports.removeOf(id)}
                            onClick={() => setLeaving(id)}
                          >
                            {en.exports.remove}
                          </Button>
                        )}
                      </Group>
                    ),
                  },
                ]}
              />
              <Pager page={page} perPage={PER_PAGE} total={total ?? 0} onPage={setPage} />
            </>
          )
        }
      </Loaded>
      <Modal
        opened={isAsking}
        onClose={() => setAsking(false)}
        title={en.exports.start}
        closeButtonProps={{ 'aria-label': en.common.close }}
      >
        <NewExport
          onClose={() => {
            setAsking(false)
            void again()
          }}
        />
      </Modal>
      <Confirm
        opened={leaving !== undefined}
        onClose={() => setLeaving(undefined)}
        title={en.exports.removeTitle}
        action={en.exports.remove}
        isDangerous
        act={async () => {
          await api.exports.delete(leaving!)
          await again()
        }}
      >
        <Text size="sm">{en.exports.removeText}</Text>
      </Confirm>
    </Page>
  )
}

/** The service may know itself by another name than this browser does; nothing leaves the origin. */
function onThisOrigin(url: string): string {
  const { pathname, search } = new URL(url, location.origin)
  return pathname + search
}

function NewExport({ onClose }: { onClose: () => void }) {
  const account = useAccount()
  const lists = useQuery(listsQuery(account))
  const [format, setFormat] = useState<Export['format']>('csv.gz')
  const [list, setList] = useState('')
  const [isSendable, setSendable] = useState(false)
  const create = useMutation({
    mutationFn: () =>
      account.api.exports.create({
        format,
        ...(list ? { list_id: Number(list) } : {}),
        ...(isSendable ? { sendable: true } : {}),
      }),
    onSuccess: onClose,
  })
  return (
    <DialogForm
      act={create}
      problem={create.error ? problemText(create.error) : undefined}
      submit={en.exports.create}
      onClose={onClose}
    >
      <Select
        label={en.exports.format}
        data={Object.entries(en.exports.formats).map(([value, label]) => ({ value, label }))}
        value={format}
        allowDeselect={false}
        onChange={(value) => value && setFormat(value as Export['format'])}
      />
      <Select
        label={en.exports.whom}
        data={[
          { value: '', label: en.exports.everyone },
          ...(lists.data ?? []).map(({ id, name }) => ({ value: String(id), label: name })),
        ]}
        value={list}
        allowDeselect={false}
        onChange={(value) => setList(value ?? '')}
      />
      <Checkbox
        label={en.exports.onlySendable}
        checked={isSendable}
        onChange={(event) => setSendable(event.currentTarget.checked)}
      />
    </DialogForm>
  )
}
