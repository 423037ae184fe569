import { Alert, Button, Group, Loader, Modal, NumberInput, Progress, Select, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { useAccount } from '../../api/client.ts'
import { fieldsQuery, listsQuery } from '../../api/queries.ts'
import { useFocusBack } from '../../components/focus-back.ts'
import { done } from '../../components/toast.tsx'
import { FieldInput } from '../../contacts/field-input.tsx'
import { ManySuggesting } from '../../criteria/value-input.tsx'
import * as en from '../../strings/en.ts'
import { type Action, type Bulk, useBulk, useUndo } from './use-bulk.ts'

const texts = en.contacts.bulk

/** From so many people on, deleting them asks for their number to be typed. */
const TYPE_FROM = 10

interface Props {
  type: Action['type']
  selection: Bulk['selection']
  onClose: () => void
}

/** An act on everyone selected: what is done, then what would come of it in numbers, then how far it is. */
export function BulkDialog({ type, selection, onClose }: Props) {
  useFocusBack()
  const bulk = useBulk()
  const undo = useUndo()
  const { set } = bulk
  const phase = set?.phase
  const counts = set?.counts ?? {}
  const changed = counts.updated ?? 0
  const deleted = counts.deleted ?? 0
  const touched = type === 'delete' ? Math.max(deleted, changed) : changed
  const isRunning = phase === 'running'
  const told = useRef(false)

  useEffect(() => {
    if (told.current || !set) return
    if (phase === 'finished' || phase === 'cancelled') {
      told.current = true
      const text =
        phase === 'cancelled'
          ? texts.stopped(touched)
          : type === 'delete'
            ? texts.deleted(touched)
            : texts.done(touched)
      done(text, type === 'delete' || touched === 0 ? undefined : { act: () => void undo(set.id) })
      onClose()
    }
  }, [phase, set, touched, type, undo, onClose])

  return (
    <Modal
      opened
      onClose={() => !isRunning && onClose()}
      withCloseButton={!isRunning}
      title={texts[type]}
      closeButtonProps={{ 'aria-label': en.common.close }}
    >
      {set === undefined ? (
        <Choose
          type={type}
          busy={bulk.attempt.isPending}
          hasFailed={bulk.attempt.isError}
          onTry={(action) => bulk.attempt.mutate({ selection, action })}
          onClose={onClose}
        />
      ) : phase === 'ready' ? (
        <Confirm
          type={type}
          counts={counts}
          touched={touched}
          busy={bulk.apply.isPending}
          onApply={() => bulk.apply.mutate()}
          onBack={bulk.forget}
        />
      ) : phase === 'failed' ? (
        <Alert color="red">{texts.failed}</Alert>
      ) : (
        <Stack gap="sm" aria-live="polite">
          <Group gap="xs">
            <Loader size="xs" />
            <Text size="sm">{isRunning ? texts.running : texts.planning}</Text>
          </Group>
          {counts.selected !== undefined && (
            <>
              <Progress value={(100 * handled(counts)) / Math.max(1, counts.selected)} aria-label={texts.running} />
              <Text size="xs" c="dimmed" className="figures">
                {texts.progress(handled(counts), counts.selected)}
              </Text>
            </>
          )}
          <Group justify="flex-end">
            <Button variant="default" loading={bulk.stop.isPending} onClick={() => bulk.stop.mutate()}>
              {texts.stop}
            </Button>
          </Group>
        </Stack>
      )}
    </Modal>
  )
}

/** How many have been gone through: all counts but that of the whole. */
function handled(counts: Record<string, number>): number {
  return Object.entries(counts).reduce((sum, [name, n]) => (name === 'selected' ? sum : sum + n), 0)
}

interface ChooseProps {
  type: Action['type']
  busy: boolean
  hasFailed: boolean
  onTry: (action: Action) => void
  onClose: () => void
}

function Choose({ type, busy, hasFailed, onTry, onClose }: ChooseProps) {
  const account = useAccount()
  const { data: lists = [] } = useQuery(listsQuery(account))
  const { data: fields = [] } = useQuery(fieldsQuery(account))
  const [tags, setTags] = useState<string[]>([])
  const [listId, setListId] = useState<string | null>(null)
  const [tag, setTag] = useState<string | null>(null)
  const [value, setValue] = useState<unknown>(null)
  const field = fields.find(({ merge_tag }) => merge_tag === tag)
  const action = actionFrom(type, { tags, listId, tag, value })

  // Nothing is to be chosen for these: what would come of it is asked for at once.
  const isPlain = type === 'unsubscribe' || type === 'delete'
  const asked = useRef(false)
  useEffect(() => {
    if (isPlain && action && !asked.current) {
      asked.current = true
      onTry(action)
    }
  }, [isPlain, action, onTry])
  useEffect(() => {
    if (isPlain && hasFailed) onClose() // why is said by the toast, and nothing is to be chosen otherwise
  }, [isPlain, hasFailed, onClose])
  if (isPlain)
    return (
      <Group gap="xs">
        <Loader size="xs" />
        <Text size="sm">{texts.planning}</Text>
      </Group>
    )

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        if (action) onTry(action)
      }}
    >
      <Stack gap="sm">
        {(type === 'add_tags' || type === 'remove_tags') && (
          <ManySuggesting aria-label={texts.tags} name="tag" value={tags} onChange={setTags} />
        )}
        {(type === 'add_to_list' || type === 'remove_from_list') && (
          <Select
            label={texts.list}
            searchable
            data={lists
              .filter((list) => list.type === 'static')
              .map(({ id, name }) => ({ value: String(id), label: name }))}
            value={listId}
            onChange={setListId}
          />
        )}
        {type === 'update' && (
          <>
            <Select
              label={texts.field}
              searchable
              data={fields.map(({ merge_tag, name }) => ({ value: merge_tag, label: name }))}
              value={tag}
              onChange={(next) => {
                setTag(next)
                setValue(null)
              }}
            />
            {field && <FieldInput field={field} label={texts.value} value={value} onChange={setValue} />}
            <Text size="xs" c="dimmed">
              {texts.valueHint}
            </Text>
          </>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {en.common.cancel}
          </Button>
          <Button type="submit" disabled={!action} loading={busy}>
            {texts.preview}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

interface Given {
  tags: string[]
  listId: string | null
  tag: string | null
  value: unknown
}

/** The action, once all that it needs has been given. */
function actionFrom(type: Action['type'], { tags, listId, tag, value }: Given): Action | undefined {
  switch (type) {
    case 'add_tags':
    case 'remove_tags':
      return tags.length > 0 ? { type, tags } : undefined
    case 'add_to_list':
    case 'remove_from_list':
      return listId === null ? undefined : { type, list_id: Number(listId) }
    case 'update':
      return tag === null ? undefined : { type, fields: { [tag]: value } }
    default:
      return { type }
  }
}

interface ConfirmProps {
  type: Action['type']
  counts: Record<string, number>
  touched: number
  busy: boolean
  onApply: () => void
  onBack: () => void
}

function Confirm({ type, counts, touched, busy, onApply, onBack }: ConfirmProps) {
  const [typed, setTyped] = useState<string | number>('')
  const isDelete = type === 'delete'
  const mustType = isDelete && touched >= TYPE_FROM
  const rest = (counts.selected ?? 0) - touched
  return (
    <Stack gap="sm">
      <Text fw={600}>
        {touched === 0 ? texts.nothing : isDelete ? texts.wouldDelete(touched) : texts.wouldChange(touched)}
      </Text>
      {rest > 0 && touched > 0 && (
        <Text size="sm" c="dimmed">
          {texts.same(rest)}
        </Text>
      )}
      {touched > 0 && (
        <Text size="sm" {...(isDelete ? { c: 'var(--mantine-color-error)' } : { c: 'dimmed' })}>
          {isDelete ? texts.deletes : type === 'unsubscribe' ? texts.unsubscribes : texts.undoable}
        </Text>
      )}
      {mustType && <NumberInput label={texts.typeNumber(touched)} hideControls value={typed} onChange={setTyped} />}
      <Group justify="flex-end">
        <Button variant="default" onClick={onBack}>
          {en.common.cancel}
        </Button>
        <Button
          {...(isDelete ? { color: 'red.8' } : {})}
          disabled={touched === 0 || (mustType && Number(typed) !== touched)}
          loading={busy}
          onClick={onApply}
        >
          {isDelete ? texts.applyDelete(touched) : texts.apply(touched)}
        </Button>
      </Group>
    </Stack>
  )
}
