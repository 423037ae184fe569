import { Button, Group, Modal, Text } from '@mantine/core'
import type { Answer } from '@rollcall/sdk'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Rows3 } from 'lucide-react'
import { useState } from 'react'
import { useAccount } from '../../api/client.ts'
import { type Field, fieldsQuery, fieldUsageQuery } from '../../api/queries.ts'
import { Confirm } from '../../components/confirm.tsx'
import { Page } from '../../components/page.tsx'
import { Empty, Loaded } from '../../components/states.tsx'
import { Rows } from '../../components/table.tsx'
import { done } from '../../components/toast.tsx'
import { Toned } from '../../components/tone.tsx'
import { UsedBy } from '../../components/used-by.tsx'
import { number } from '../../strings/en/common.ts'
import * as en from '../../strings/en.ts'
import { ConvertForm } from './convert-form.tsx'
import { FieldForm } from './field-form.tsx'
import classes from './fields.module.css'

type Usage = Answer<'getFieldUsage'>['data'][number]

const POLL_MS = 1000

export function FieldsPage() {
  const account = useAccount()
  const { id: accountId, api, canWrite } = account
  const client = useQueryClient()
  const query = useQuery({
    ...fieldsQuery(account),
    // A conversion goes on by itself.
    refetchInterval: ({ state }) => (state.data?.some((field) => field.converting_to) ? POLL_MS : false),
  })
  const usage = useQuery(fieldUsageQuery(account))
  const isExact = usage.data?.is_exact ?? true
  const usageOf = (id: number) => usage.data?.data.find(({ field_id }) => field_id === id)
  const [isMaking, setMaking] = useState(false)
  const [converting, setConverting] = useState<Field>()
  const [leaving, setLeaving] = useState<Field>()
  const again = () => client.invalidateQueries({ queryKey: [accountId, 'fields'] })
  const start = canWrite && <Button onClick={() => setMaking(true)}>{en.fields.start}</Button>
  return (
    <Page title={en.fields.title} about={en.fields.about} actions={query.data?.length === 0 ? null : start}>
      <Loaded query={query}>
        {(fields) =>
          fields.length === 0 ? (
            <Empty icon={Rows3} title={en.fields.none} action={start}>
              {en.fields.noneText}
            </Empty>
          ) : (
            <Rows
              label={en.fields.title}
              rows={fields}
              keyOf={({ id }) => id}
              columns={[
                {
                  title: en.fields.name,
                  cell: ({ name }) => (
                    <Text size="sm" fw={600}>
                      {name}
                    </Text>
                  ),
                },
                {
                  title: en.fields.tag,
                  cell: ({ merge_tag }) => (
                    <Text size="sm" ff="monospace" c="dimmed">
                      {merge_tag}
                    </Text>
                  ),
                },
                {
                  title: en.fields.type,
                  cell: ({ type, converting_to }) => (
                    <Group gap="xs" wrap="nowrap">
                      {en.imports.fieldTypes[type]}
                      {converting_to && <Toned tone="busy">{en.fields.converting}</Toned>}
                    </Group>
                  ),
                },
                {
                  title: en.fields.filled,
                  isFigure: true,
                  cell: ({ id }) => <Filled usage={usageOf(id)} isExact={isExact} />,
                },
                { title: en.fields.usedBy, cell: ({ id }) => <FieldUsers users={usageOf(id)?.used_by ?? []} /> },
                {
                  title: en.fields.actions,
                  isTitleHidden: true,
                  cell: (field) =>
                    canWrite && (
                      <Group gap="xs" wrap="nowrap" justify="flex-end">
                        <Button
                          size="xs"
                          variant="default"
                          aria-label={en.fields.convertOf(field.name)}
                          onClick={() => setConverting(field)}
                        >
                          {en.fields.convert}
                        </Button>
                        <Button
                          size="xs"
                          variant="default"
                          aria-label={en.fields.removeOf(field.name)}
                          onClick={() => setLeaving(field)}
                        >
                          {en.fields.remove}
                        </Button>
                      </Group>
                    ),
                },
              ]}
            />
          )
        }
      </Loaded>
      {usage.data && !isExact && (
        <Text size="sm" c="dimmed">
          {en.fields.estimated(usage.data.looked_at, 100 * usage.data.margin)}
        </Text>
      )}
      <Modal
        opened={isMaking}
        onClose={() => setMaking(false)}
        title={en.fields.start}
        closeButtonProps={{ 'aria-label': en.common.close }}
      >
        <FieldForm
          onClose={() => {
            setMaking(false)
            void again()
          }}
        />
      </Modal>
      <Modal
        opened={converting !== undefined}
        onClose={() => setConverting(undefined)}
        title={en.fields.convertTitle(converting?.name ?? '')}
        closeButtonProps={{ 'aria-label': en.common.close }}
      >
        {converting && (
          <ConvertForm
            field={converting}
            onClose={() => {
              setConverting(undefined)
              void again()
            }}
          />
        )}
      </Modal>
      <Confirm
        opened={leaving !== undefined}
        onClose={() => setLeaving(undefined)}
        title={en.fields.removeTitle(leaving?.name ?? '')}
        action={en.fields.remove}
        isDangerous
        act={async () => {
          await api.call('deleteField', { path: { field_id: leaving!.id } })
          await again()
          done(en.fields.removed(leaving!.name))
        }}
      >
        {leaving && <Lost field={leaving} />}
      </Confirm>
    </Page>
  )
}

function Filled({ usage, isExact }: { usage: Usage | undefined; isExact: boolean }) {
  if (!usage) return null
  const { count, share } = usage.filled
  return (
    <>
      {en.fields.filledOf(number(count), en.home.share(100 * share), isExact)}
      <div className={classes.filled} aria-hidden>
        <div style={{ width: `${100 * share}%` }} />
      </div>
    </>
  )
}

function FieldUsers({ users }: { users: Usage['used_by'] }) {
  if (users.length > 0) return <UsedBy users={users} />
  return (
    <Text size="sm" c="dimmed">
      {en.fields.unused}
    </Text>
  )
}

/** Here it is counted exactly: this many are about to lose something. */
function Lost({ field: { id: field } }: { field: Field }) {
  const { id, api } = useAccount()
  const filled = useQuery({
    queryKey: [id, 'fields', field, 'filled'],
    queryFn: ({ signal }) => api.fields.get(field, { signal }),
  })
  return <Text size="sm">{filled.data && en.fields.removeText(en.common.contacts(filled.data.values_count))}</Text>
}
