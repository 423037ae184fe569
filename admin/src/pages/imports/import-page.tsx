import { Alert, Anchor, Button, Group, Progress, Select, Stack, Text } from '@mantine/core'
import type { Import } from '@rollcall/sdk'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { CircleAlert, Download, TriangleAlert } from 'lucide-react'
import { useEffect, useState } from 'react'
import { useAccount } from '../../api/client.ts'
import { Confirm } from '../../components/confirm.tsx'
import { Diff } from '../../components/diff.tsx'
import { Page } from '../../components/page.tsx'
import { Panel } from '../../components/panel.tsx'
import { RevertDialog } from '../../components/revert-dialog.tsx'
import { Loaded } from '../../components/states.tsx'
import { Time } from '../../components/time.tsx'
import { done, failed } from '../../components/toast.tsx'
import * as en from '../../strings/en.ts'
import { Causes, type Mend } from './causes.tsx'
import { Counts } from './counts.tsx'
import { importQuery, isAtWork } from './import-queries.ts'
import { Phase } from './phase.tsx'

const route = getRouteApi('/accounts/$account/imports/$import')

/** An import, from its trial to its report: whatever phase it is in when the page is opened. */
export function ImportPage() {
  const id = Number(route.useParams().import)
  const query = useQuery(importQuery(useAccount(), id))
  const name = query.data?.file.name ?? en.imports.one(id)
  return (
    <Page
      title={name}
      about={
        query.data && (
          <Group gap="xs">
            <Phase phase={query.data.phase} />
            <Time at={query.data.created_at} />
            <span>{en.imports.bytes(query.data.file.bytes)}</span>
          </Group>
        )
      }
    >
      <Loaded query={query}>{(state) => <State key={state.id} state={state} />}</Loaded>
    </Page>
  )
}

function State({ state }: { state: Import }) {
  const account = useAccount()
  const client = useQueryClient()
  const { phase, id } = state
  // What was done to people shows elsewhere, too.
  useEffect(() => {
    if (phase !== 'finished' && phase !== 'reverted') return
    for (const noun of ['contacts', 'lists', 'changes', 'fields', 'stats'])
      void client.invalidateQueries({ queryKey: [account.id, noun] })
  }, [phase, account.id, client])

  const apply = useMutation({
    mutationFn: (options: Parameters<typeof account.api.imports.apply>[1]) => account.api.imports.apply(id, options),
    onSuccess: (answer) => {
      client.setQueryData(importQuery(account, id).queryKey, answer)
      // What a trial has said of each row is said anew.
      client.removeQueries({ queryKey: [account.id, 'changes', id] })
    },
    onError: (error) => failed(error),
  })
  const canGoOn = account.canWrite && state.file.kept && (phase === 'ready' || phase === 'failed')
  const mend = (given: Mend) => apply.mutate({ ...merged(state, given), dry_run: true })

  if (isAtWork(state)) return <AtWork state={state} />
  return (
    <Stack gap="lg">
      {phase === 'ready' && state.problem !== null && (
        <Question
          problem={state.problem}
          onAnswer={canGoOn ? (order) => apply.mutate({ date_order: order, dry_run: true }) : undefined}
        />
      )}
      {phase === 'failed' && (
        <Alert color="red" icon={<CircleAlert size={18} />} title={en.imports.failedTitle}>
          <Stack gap="sm" align="flex-start">
            <Text size="sm">{state.problem}</Text>
            <Text size="sm">{en.imports.failedText}</Text>
            {canGoOn && (
              <Button size="xs" variant="default" loading={apply.isPending} onClick={() => apply.mutate({})}>
                {en.imports.again}
              </Button>
            )}
          </Stack>
        </Alert>
      )}
      {(phase !== 'ready' || state.problem === null) && (
        <Panel
          title={phase === 'ready' ? en.imports.trial : en.imports.report}
          about={phase === 'ready' && en.imports.trialText}
          actions={<Acts state={state} isBusy={apply.isPending} onApply={() => apply.mutate({ dry_run: false })} />}
        >
          <Counts state={state} />
        </Panel>
      )}
      <Causes state={state} onMend={canGoOn ? mend : undefined} isBusy={apply.isPending} />
      {state.warnings.length > 0 && (
        <Panel title={en.imports.warnings}>
          {state.warnings.map(({ kind, column, count, line, suggestion }) => (
            <Group key={`${kind} ${column} ${suggestion ?? ''}`} gap="sm" wrap="nowrap" align="flex-start">
              <TriangleAlert size={18} aria-hidden color="var(--warning)" />
              <div>
                <Text fw={600}>
                  {en.imports.warningKinds[kind] ?? kind}
                  {suggestion && `: ${suggestion}`}
                </Text>
                <Text size="sm" c="dimmed">
                  {en.imports.warningRows(column, count, line)}
                </Text>
              </div>
            </Group>
          ))}
        </Panel>
      )}
      {state.rows_read > 0 && phase !== 'cancelled' && state.problem === null && (
        <Panel title={en.imports.examples}>
          <Diff changeSet={state.change_set_id} label={en.imports.examples} />
        </Panel>
      )}
    </Stack>
  )
}

/** What an import has been told already stays beside what is told now. */
function merged({ options }: Import, { rules, value_mapping: values }: Mend): Mend {
  const had = options as Mend
  const byColumn: NonNullable<Mend['value_mapping']> = { ...had.value_mapping }
  for (const [column, given] of Object.entries(values ?? {})) byColumn[column] = { ...byColumn[column], ...given }
  const byRule: NonNullable<Mend['rules']> = { ...had.rules }
  for (const [column, given] of Object.entries(rules ?? {}))
    byRule[column] = [...new Set([...(byRule[column] ?? []), ...given])]
  return { ...(rules ? { rules: byRule } : {}), ...(values ? { value_mapping: byColumn } : {}) }
}

function AtWork({ state }: { state: Import }) {
  const account = useAccount()
  const client = useQueryClient()
  const [isAsked, setAsked] = useState(false)
  const { progress, phase } = state
  const [at, all] =
    phase === 'merging' ? [progress.rows_merged, progress.rows_to_merge] : [progress.bytes_read, progress.bytes_total]
  return (
    <Panel
      title={en.imports.phases[phase]}
      about={en.imports.phaseText[phase]}
      actions={
        account.canWrite &&
        phase !== 'reverting' && (
          <Button variant="default" size="xs" onClick={() => setAsked(true)}>
            {en.imports.cancel}
          </Button>
        )
      }
    >
      <Progress value={all > 0 ? (100 * at) / all : 0} animated size="lg" aria-label={en.imports.phases[phase]} />
      {phase === 'merging' && (
        <Text size="sm" c="dimmed">
          {en.imports.progressOf(at, all)}
        </Text>
      )}
      <Confirm
        opened={isAsked}
        onClose={() => setAsked(false)}
        title={en.imports.cancelTitle}
        action={en.imports.cancel}
        isDangerous
        act={async () =>
          client.setQueryData(importQuery(account, state.id).queryKey, await account.api.imports.cancel(state.id))
        }
      >
        <Text size="sm">{en.imports.cancelText}</Text>
      </Confirm>
    </Panel>
  )
}

/** What can be done with an import that is at rest. */
function Acts({ state, isBusy, onApply }: { state: Import; isBusy: boolean; onApply: () => void }) {
  const account = useAccount()
  const client = useQueryClient()
  const [asked, setAsked] = useState<'discard' | 'revert'>()
  const close = () => setAsked(undefined)
  const { phase, id, created_contacts_count: created, updated_contacts_count: updated } = state
  return (
    <>
      {state.rejected_rows_count > 0 && (
        <Anchor size="sm" href={`/api/accounts/${account.id}/contact_imports/${id}/errors`} download>
          <Group gap={6} wrap="nowrap">
            <Download size={15} aria-hidden />
            {en.imports.rejectedRows}
          </Group>
        </Anchor>
      )}
      {account.canWrite && phase === 'ready' && (
        <>
          <Button variant="default" onClick={() => setAsked('discard')}>
            {en.imports.discard}
          </Button>
          <Button loading={isBusy} disabled={created + updated === 0} onClick={onApply}>
            {en.imports.apply(created, updated)}
          </Button>
        </>
      )}
      {account.canWrite && (phase === 'finished' || phase === 'cancelled') && created + updated > 0 && (
        <Button variant="default" onClick={() => setAsked('revert')}>
          {en.imports.revert}
        </Button>
      )}
      <Confirm
        opened={asked === 'discard'}
        onClose={close}
        title={en.imports.discardTitle}
        action={en.imports.discard}
        isDangerous
        act={async () => client.setQueryData(importQuery(account, id).queryKey, await account.api.imports.cancel(id))}
      >
        <Text size="sm">{en.imports.discardText}</Text>
      </Confirm>
      <RevertDialog
        changeSet={id}
        opened={asked === 'revert'}
        onClose={close}
        onBegun={() => {
          done(en.imports.revertBegun)
          void client.invalidateQueries({ queryKey: [account.id, 'imports'] })
        }}
      />
    </>
  )
}

type DateOrder = 'dmy' | 'mdy' | 'ymd'

/** What the file alone can't say. */
function Question({ problem, onAnswer }: { problem: string; onAnswer: ((order: DateOrder) => void) | undefined }) {
  const [order, setOrder] = useState<DateOrder>('dmy')
  const { found: _, ...orders } = en.imports.dateOrders
  return (
    <Panel title={en.imports.question} about={problem}>
      {onAnswer && (
        <Group align="flex-end">
          <Select
            label={en.imports.dateOrder}
            data={Object.entries(orders).map(([value, label]) => ({ value, label }))}
            value={order}
            allowDeselect={false}
            onChange={(value) => value && setOrder(value as DateOrder)}
          />
          <Button onClick={() => onAnswer(order)}>{en.imports.answer}</Button>
        </Group>
      )}
    </Panel>
  )
}
