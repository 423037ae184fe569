import { Button, Modal, Text, Textarea, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import type { Answer } from '@rollcall/sdk'
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { ShieldBan } from 'lucide-react'
import { useState } from 'react'
import { useAccount } from '../../api/client.ts'
import { Confirm } from '../../components/confirm.tsx'
import { DialogForm } from '../../components/dialog-form.tsx'
import { Page } from '../../components/page.tsx'
import { Pager } from '../../components/pager.tsx'
import { faultsByInput } from '../../components/problem.ts'
import { Empty, Loaded } from '../../components/states.tsx'
import { Rows } from '../../components/table.tsx'
import { Time } from '../../components/time.tsx'
import { done } from '../../components/toast.tsx'
import * as en from '../../strings/en.ts'

type Suppression = Answer<'listSuppressions'>['data'][number]

const PER_PAGE = 50

export function SuppressionsPage() {
  const { id: accountId, api, canWrite } = useAccount()
  const client = useQueryClient()
  const [page, setPage] = useState(1)
  const [typed, setTyped] = useState('')
  const [email] = useDebouncedValue(typed.trim(), 200)
  const [isAdding, setAdding] = useState(false)
  const [leaving, setLeaving] = useState<Suppression>()
  // An address is looked for once it is one.
  const asked = /^[^@\s]+@[^@\s]+$/.test(email) ? email : undefined
  const query = useQuery({
    queryKey: [accountId, 'suppressions', page, asked ?? null],
    queryFn: ({ signal }) =>
      api.call(
        'listSuppressions',
        { query: { page, per_page: PER_PAGE, ...(asked === undefined ? {} : { email: asked }) } },
        { signal },
      ),
    placeholderData: keepPreviousData,
  })
  const again = () => client.invalidateQueries({ queryKey: [accountId, 'suppressions'] })
  return (
    <Page
      title={en.suppressions.title}
      about={en.suppressions.about}
      actions={canWrite && <Button onClick={() => setAdding(true)}>{en.suppressions.start}</Button>}
    >
      <TextInput
        label={en.suppressions.search}
        placeholder={en.suppressions.searchHint}
        type="search"
        maw={360}
        value={typed}
        onChange={(event) => {
          setTyped(event.currentTarget.value)
          setPage(1)
        }}
      />
      <Loaded query={query}>
        {({ data, total }) =>
          data.length === 0 ? (
            <Empty icon={ShieldBan} title={asked ? en.suppressions.noneFound : en.suppressions.none}>
              {!asked && en.suppressions.noneText}
            </Empty>
          ) : (
            <>
              <Rows
                label={en.suppressions.title}
                rows={data}
                keyOf={({ id }) => id}
                columns={[
                  {
                    title: en.suppressions.value,
                    cell: ({ value }) => (
                      <Text size="sm" fw={600} style={{ overflowWrap: 'anywhere' }} miw={160}>
                        {value}
                      </Text>
                    ),
                  },
                  { title: en.suppressions.kind, cell: ({ kind }) => en.suppressions.kinds[kind] },
                  { title: en.suppressions.reason, cell: ({ reason }) => en.suppressions.reasons(reason) },
                  { title: en.suppressions.source, cell: ({ source }) => en.suppressions.sources(source) },
                  { title: en.suppressions.since, cell: ({ created_at }) => <Time at={created_at} /> },
                  {
                    title: en.suppressions.until,
                    cell: ({ expires_at: at }) => (at === null ? en.suppressions.forGood : <Time at={at} />),
                  },
                  {
                    title: en.suppressions.actions,
                    isTitleHidden: true,
                    cell: (row) =>
                      canWrite && (
                        <Button
                          size="xs"
                          variant="default"
                          aria-label={en.suppressions.removeOf(row.value)}
                          onClick={() => setLeaving(row)}
                        >
                          {en.suppressions.remove}
                        </Button>
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
        opened={isAdding}
        onClose={() => setAdding(false)}
        title={en.suppressions.addTitle}
        closeButtonProps={{ 'aria-label': en.common.close }}
      >
        <AddForm
          onClose={() => {
            setAdding(false)
            void again()
          }}
        />
      </Modal>
      <Confirm
        opened={leaving !== undefined}
        onClose={() => setLeaving(undefined)}
        title={en.suppressions.removeTitle(leaving?.value ?? '')}
        action={en.suppressions.remove}
        act={async () => {
          await api.call('deleteSuppression', { path: { id: leaving!.id } })
          await again()
        }}
      >
        <Text size="sm">{en.suppressions.removeText}</Text>
      </Confirm>
    </Page>
  )
}

function AddForm({ onClose }: { onClose: () => void }) {
  const { api } = useAccount()
  const [text, setText] = useState('')
  const entries = text.split(/[\s,;]+/).filter(Boolean)
  const add = useMutation({
    mutationFn: () => api.call('addSuppressions', { body: { entries } }),
    onSuccess: ({ added, known }) => {
      done(en.suppressions.added(added, known))
      onClose()
    },
  })
  return (
    <DialogForm
      act={add}
      problem={add.error ? Object.values(faultsByInput(add.error, [])).join('; ') : undefined}
      submit={en.suppressions.add}
      isDisabled={entries.length === 0}
      onClose={onClose}
    >
      <Textarea
        label={en.suppressions.entries}
        description={en.suppressions.entriesHint}
        data-autofocus
        rows={6}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
    </DialogForm>
  )
}
