import { Alert, Button, ColorInput, Group, NumberInput, Select, Stack, Switch, TextInput } from '@mantine/core'
import type { Answer, Body } from '@rollcall/sdk'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { useAccount } from '../../api/client.ts'
import { accountQuery } from '../../api/queries.ts'
import { sessionQuery } from '../../api/session.ts'
import { languageOptions } from '../../components/languages.ts'
import { LeaveGuard } from '../../components/leave-guard.tsx'
import { Panel } from '../../components/panel.tsx'
import { faultsByInput } from '../../components/problem.ts'
import { Loaded } from '../../components/states.tsx'
import { done } from '../../components/toast.tsx'
import * as en from '../../strings/en.ts'
import classes from '../imports/imports.module.css'

type Account = Answer<'getAccount'>
type Patch = Body<'updateAccount'>

const INPUTS = ['name', 'color', 'language', 'time_zone', 'soft_bounce_limit', 'welcome_template']

export function AccountPanel() {
  const query = useQuery(accountQuery(useAccount()))
  return <Loaded query={query}>{(account) => <Form account={account} />}</Loaded>
}

/** Sends only what was changed, so that what someone else changes meanwhile stays. */
function Form({ account }: { account: Account }) {
  const { id, api, canAdminister } = useAccount()
  const client = useQueryClient()
  const [patch, setPatch] = useState<Patch>({})
  const save = useMutation({
    mutationFn: (sent: Patch) => api.call('updateAccount', { body: sent }),
    onSuccess: async (saved, sent) => {
      client.setQueryData([id, 'account'], saved)
      // What has been typed since it was sent is still to be saved.
      setPatch((later) =>
        Object.fromEntries(Object.entries(later).filter(([name, value]) => value !== sent[name as keyof Patch])),
      )
      if (sent.name) await client.invalidateQueries({ queryKey: sessionQuery.queryKey })
      done(en.settings.saved)
    },
  })
  const faults = save.error ? faultsByInput(save.error, INPUTS) : {}
  const now = { ...account, ...patch, retention: { ...account.retention, ...patch.retention } }
  const set = (part: Patch) => setPatch({ ...patch, ...part })
  const off = !canAdminister

  const days = (key: keyof Account['retention'], label: string, hint: string): ReactNode => (
    <NumberInput
      label={label}
      description={hint}
      min={1}
      max={36_500}
      allowDecimal={false}
      disabled={off}
      value={now.retention[key] ?? ''}
      onChange={(value) => set({ retention: { ...patch.retention, [key]: typeof value === 'number' ? value : null } })}
    />
  )

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        save.mutate(patch)
      }}
    >
      <Stack gap="lg">
        {off && <Alert color="gray">{en.settings.readonly}</Alert>}
        <Panel title={en.settings.general}>
          <div className={classes.pair}>
            <TextInput
              label={en.settings.accountName}
              value={now.name ?? ''}
              error={faults.name}
              disabled={off}
              onChange={(event) => set({ name: event.currentTarget.value })}
            />
            <Select
              label={en.settings.timeZone}
              description={en.settings.timeZoneHint}
              searchable
              data={zones(account.time_zone)}
              value={now.time_zone ?? null}
              error={faults.time_zone}
              disabled={off}
              allowDeselect={false}
              onChange={(value) => value && set({ time_zone: value })}
            />
            <Select
              label={en.settings.language}
              data={languageOptions(account.languages)}
              value={now.language ?? null}
              disabled={off}
              allowDeselect={false}
              onChange={(value) => value && set({ language: value })}
            />
            <ColorInput
              label={en.settings.color}
              value={now.color ?? ''}
              error={faults.color}
              disabled={off}
              withEyeDropper={false}
              onChange={(color) => set({ color })}
            />
          </div>
        </Panel>
        <Panel title={en.settings.permissions}>
          <Switch
            label={en.settings.doubleOptIn}
            checked={now.double_opt_in ?? false}
            disabled={off}
            onChange={(event) => set({ double_opt_in: event.currentTarget.checked })}
          />
          <div className={classes.pair}>
            <Select
              label={en.settings.importState}
              data={(['subscribed', 'none', 'pending', 'unsubscribed'] as const).map((value) => ({
                value,
                label: en.settings.states[value],
              }))}
              value={now.import_default_state ?? null}
              disabled={off}
              allowDeselect={false}
              onChange={(value) => value && set({ import_default_state: value as Account['import_default_state'] })}
            />
            <NumberInput
              label={en.settings.softBounces}
              min={1}
              max={100}
              allowDecimal={false}
              value={now.soft_bounce_limit ?? ''}
              error={faults.soft_bounce_limit}
              disabled={off}
              onChange={(value) => typeof value === 'number' && set({ soft_bounce_limit: value })}
            />
            <TextInput
              label={en.settings.welcome}
              description={en.settings.welcomeHint}
              value={now.welcome_template ?? ''}
              error={faults.welcome_template}
              disabled={off}
              onChange={(event) => set({ welcome_template: event.currentTarget.value || null })}
            />
          </div>
        </Panel>
        <Panel title={en.settings.fields}>
          <div className={classes.pair}>
            <Select
              label={en.settings.unknownFields}
              data={Object.entries(en.settings.unknown).map(([value, label]) => ({ value, label }))}
              value={now.unknown_fields ?? null}
              disabled={off}
              allowDeselect={false}
              onChange={(value) => value && set({ unknown_fields: value as Account['unknown_fields'] })}
            />
            <Select
              label={en.settings.nullFields}
              data={Object.entries(en.settings.nulls).map(([value, label]) => ({ value, label }))}
              value={now.null_fields ?? null}
              disabled={off}
              allowDeselect={false}
              onChange={(value) => value && set({ null_fields: value as Account['null_fields'] })}
            />
          </div>
        </Panel>
        <Panel title={en.settings.retention}>
          <div className={classes.pair}>
            {days('events_days', en.settings.events, en.settings.retentionHint)}
            {days('mails_days', en.settings.mails, en.settings.retentionHint)}
            {days('changes_days', en.settings.changesDays, en.settings.changesHint)}
          </div>
        </Panel>
        {faults.base && (
          <Alert color="red" role="alert">
            {faults.base}
          </Alert>
        )}
        {canAdminister && (
          <Group justify="flex-end">
            <Button type="submit" loading={save.isPending} disabled={Object.keys(patch).length === 0}>
              {en.common.save}
            </Button>
          </Group>
        )}
      </Stack>
      <LeaveGuard isDirty={Object.keys(patch).length > 0} isTab />
    </form>
  )
}

/** The browser's, and the one that is set. */
function zones(current: string): string[] {
  return [...new Set([current, 'UTC', ...Intl.supportedValuesOf('timeZone')])]
}
