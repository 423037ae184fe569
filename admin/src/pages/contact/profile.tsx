import { Alert, Button, Group, MultiSelect, Paper, Stack, TagsInput, Text, TextInput, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useAccount } from '../../api/client.ts'
import { type Contact, fieldsQuery, listsQuery } from '../../api/queries.ts'
import { LeaveGuard } from '../../components/leave-guard.tsx'
import { faultsByInput } from '../../components/problem.ts'
import { FieldInput } from '../../contacts/field-input.tsx'
import * as en from '../../strings/en.ts'
import { ConflictDialog } from './conflict-dialog.tsx'
import classes from './contact.module.css'
import { changesOf, draftOf, useSaving, withLater } from './use-saving.ts'

/** What is known of a contact, each value with the input for its type; a viewer reads. */
export function Profile({ contact }: { contact: Contact }) {
  const account = useAccount()
  const { data: known } = useQuery(fieldsQuery(account))
  const fields = known ?? []
  const { data: lists = [] } = useQuery(listsQuery(account))
  // What the page began with: another's changes are told by comparing with it.
  const [base, setBase] = useState(contact)
  const [draft, setDraft] = useState(() => draftOf(contact))
  const saving = useSaving({
    base,
    draft,
    onSaved: (saved) => {
      setBase(saved)
      setDraft((now) => withLater(draftOf(saved), draft, now))
    },
  })
  const changes = changesOf(draftOf(base), draft)
  // While nothing is being edited, the page follows what others save.
  if (contact !== base && contact.updated_at > base.updated_at && changes.length === 0) {
    setBase(contact)
    setDraft(draftOf(contact))
  }
  const names = ['email', 'external_id', 'tags', 'list_ids', ...fields.map(({ merge_tag }) => merge_tag)]
  const faults = saving.error ? faultsByInput(saving.error, names) : {}
  const readOnly = !account.canWrite
  const set = (change: Partial<typeof draft>) => setDraft((before) => ({ ...before, ...change }))

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        void saving.save()
      }}
    >
      <Stack gap="md">
        {faults.base && (
          <Alert color="red" role="alert">
            {faults.base}
          </Alert>
        )}
        <Paper withBorder p="md" radius="md">
          <div className={classes.fields}>
            <TextInput
              label={en.contact.email}
              type="email"
              readOnly={readOnly}
              value={draft.email}
              error={faults.email}
              onChange={(event) => set({ email: event.currentTarget.value })}
            />
            <TextInput
              label={en.contact.externalId}
              readOnly={readOnly}
              value={draft.external_id ?? ''}
              error={faults.external_id}
              onChange={(event) => set({ external_id: event.currentTarget.value || null })}
            />
            <TagsInput
              label={en.contact.tags}
              readOnly={readOnly}
              acceptValueOnBlur
              value={draft.tags}
              error={faults.tags}
              onChange={(tags) => set({ tags })}
            />
            <MultiSelect
              label={en.contact.lists}
              readOnly={readOnly}
              searchable
              data={lists
                .filter(({ type }) => type === 'static')
                .map(({ id, name }) => ({ value: String(id), label: name }))}
              value={draft.list_ids.map(String)}
              error={faults.list_ids}
              onChange={(ids) => set({ list_ids: ids.map(Number) })}
            />
          </div>
        </Paper>
        <Paper withBorder p="md" radius="md">
          <Title order={2} mb="sm">
            {en.contact.fields}
          </Title>
          {known?.length === 0 && (
            <Text size="sm" c="dimmed">
              {en.contact.noFields}
            </Text>
          )}
          <div className={classes.fields}>
            {fields.map((field) => (
              <FieldInput
                key={field.id}
                field={field}
                label={field.name}
                readOnly={readOnly}
                value={draft.fields[field.merge_tag]}
                error={faults[field.merge_tag]}
                onChange={(value) => set({ fields: { ...draft.fields, [field.merge_tag]: value } })}
              />
            ))}
          </div>
        </Paper>
        {changes.length > 0 && (
          <div className={classes.save}>
            <Text size="sm" fw={600}>
              {en.contact.unsaved(changes.length)}
            </Text>
            <Group gap="xs">
              <Button variant="default" onClick={() => setDraft(draftOf(base))}>
                {en.contact.discard}
              </Button>
              <Button type="submit" loading={saving.isSaving}>
                {en.contact.save}
              </Button>
            </Group>
          </div>
        )}
      </Stack>
      <LeaveGuard isDirty={changes.length > 0} />
      {saving.conflict && (
        <ConflictDialog
          conflicts={saving.conflict.of}
          theirs={saving.conflict.theirs}
          onCancel={saving.giveUp}
          onDecide={(mine) => void saving.decide(mine)}
        />
      )}
    </form>
  )
}
