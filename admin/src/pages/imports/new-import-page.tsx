import { Alert, Button, Group, Stack, Stepper, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import { clientOf, type OpenAccount, useAccount } from '../../api/client.ts'
import { fieldsQuery } from '../../api/queries.ts'
import { Page } from '../../components/page.tsx'
import { problemText } from '../../components/problem.ts'
import { Failed, Loading } from '../../components/states.tsx'
import { failed } from '../../components/toast.tsx'
import * as en from '../../strings/en.ts'
import { FileStep } from './file-step.tsx'
import classes from './imports.module.css'
import { MappingStep } from './mapping-step.tsx'
import { type Mapping, type Preview, previewQuery, type Reading } from './new-import.ts'
import { type Choices, FIRST_CHOICES, missingChoice, OptionsStep, optionsOf } from './options-step.tsx'

const STEPS = [en.imports.steps.file, en.imports.steps.columns, en.imports.steps.options]

/** From a file to a trial of its import, which then has a page of its own. */
export function NewImportPage() {
  const { canWrite } = useAccount()
  const [file, setFile] = useState<File>()
  const [step, setStep] = useState(0)
  return (
    <Page title={en.imports.newTitle}>
      {canWrite ? (
        <Stack gap="lg">
          <Stepper active={step} size="sm" allowNextStepsSelect={false} classNames={{ separator: classes.between }}>
            {STEPS.map((label) => (
              <Stepper.Step key={label} label={label} />
            ))}
          </Stepper>
          {file ? (
            <WithFile
              key={`${file.name}${file.lastModified}`}
              file={file}
              step={step}
              onStep={setStep}
              onFile={setFile}
            />
          ) : (
            <FileStep
              onFile={(chosen) => {
                setFile(chosen)
                setStep(1)
              }}
            />
          )}
        </Stack>
      ) : (
        <Alert color="yellow">{en.imports.readonly}</Alert>
      )}
    </Page>
  )
}

interface WithFileProps {
  file: File
  step: number
  onStep: (step: number) => void
  onFile: (file: File | undefined) => void
}

function WithFile({ file, step, onStep, onFile }: WithFileProps) {
  const account = useAccount()
  const [reading, setReading] = useState<Reading>({})
  const [mapping, setMapping] = useState<Mapping>({})
  const [choices, setChoices] = useState<Choices>(FIRST_CHOICES)
  const [isTold, setTold] = useState(false)
  const [usesRecipe, setUsesRecipe] = useState(false)
  const preview = useQuery(previewQuery(account, file, reading, mapping))
  const fields = useQuery(fieldsQuery(account))
  const { trial, sent, stop } = useTrial(account, file)

  const another = () => {
    onFile(undefined)
    onStep(0)
  }
  if (preview.error && !preview.data)
    return (
      <Stack align="flex-start">
        <Alert color="red" role="alert" title={en.common.loadFailed}>
          {problemText(preview.error)}
        </Alert>
        <Button variant="default" onClick={another}>
          {en.imports.another}
        </Button>
      </Stack>
    )
  if (fields.error) return <Failed error={fields.error} retry={() => void fields.refetch()} />
  if (!preview.data || !fields.data)
    return (
      <div>
        <Text c="dimmed" mb="md">
          {en.imports.looking}
        </Text>
        <Loading />
      </div>
    )
  const goals = preview.data.columns.map(({ goes_to }) => goes_to)
  const hasIdentity = goals.includes('email') || goals.includes('external_id')

  return (
    <Stack gap="lg">
      {step === 1 ? (
        <>
          <MappingStep
            file={file}
            preview={preview.data}
            fields={fields.data}
            reading={reading}
            mapping={mapping}
            usesRecipe={usesRecipe}
            onReading={setReading}
            onMapping={setMapping}
            onAnother={another}
            onRecipe={() => {
              setMapping(mappingOf(preview.data))
              setUsesRecipe(true)
            }}
          />
          {preview.error && (
            <Alert color="red" role="alert">
              {problemText(preview.error)}
            </Alert>
          )}
          {!hasIdentity && <Alert color="yellow">{en.imports.noIdentity}</Alert>}
          {hasIdentity && !goals.includes('email') && <Alert color="yellow">{en.imports.noEmail}</Alert>}
        </>
      ) : (
        <OptionsStep
          choices={choices}
          onChange={setChoices}
          isTold={isTold}
          hasStateColumn={goals.includes('state')}
          hasExternalId={goals.includes('external_id')}
        />
      )}
      {trial.error && (
        <Alert color="red" role="alert" title={en.common.failed}>
          {problemText(trial.error)}
        </Alert>
      )}
      <Group justify="space-between">
        <Button variant="default" onClick={() => (step === 1 ? another() : onStep(1))}>
          {en.imports.back}
        </Button>
        {step === 1 ? (
          <Button
            disabled={!hasIdentity || preview.data.problems.length > 0 || preview.isPlaceholderData}
            onClick={() => onStep(2)}
          >
            {en.imports.onwards}
          </Button>
        ) : (
          <Group gap="sm">
            <Text size="sm" c="dimmed">
              {trial.isPending ? en.imports.sending(sent) : en.imports.tryText}
            </Text>
            {trial.isPending && (
              <Button variant="default" onClick={stop}>
                {en.common.cancel}
              </Button>
            )}
            <Button
              loading={trial.isPending}
              onClick={() => {
                setTold(true)
                if (missingChoice(choices)) return
                trial.mutate({ preview: preview.data, reading, mapping, choices })
              }}
            >
              {en.imports.tryIt}
            </Button>
          </Group>
        )}
      </Group>
    </Stack>
  )
}

interface Trial {
  preview: Preview
  reading: Reading
  mapping: Mapping
  choices: Choices
}

/** Sends the file for a trial, keeps its mapping if that is wished, and leads to the import's page. Who leaves meanwhile stops it. */
function useTrial(account: OpenAccount, file: File) {
  const navigate = useNavigate()
  const client = useQueryClient()
  const [sent, setSent] = useState(0)
  const leave = useRef(new AbortController())
  useEffect(() => () => leave.current.abort(), [])
  const trial = useMutation({
    mutationFn: ({ reading, mapping, choices }: Trial) => {
      setSent(0)
      leave.current = new AbortController()
      const options = { ...reading, ...optionsOf(choices), field_mapping: mapping, file_name: file.name, dry_run: true }
      return clientOf(account.id, setSent).imports.upload(file, options, { signal: leave.current.signal })
    },
    onSuccess: ({ id }, asked) => {
      if (asked.choices.remember) void remember(account, file.name, asked).catch(failed)
      void client.invalidateQueries({ queryKey: [account.id, 'imports'] })
      return navigate({
        to: '/accounts/$account/imports/$import',
        params: { account: String(account.id), import: String(id) },
      })
    },
  })
  const stop = () => {
    leave.current.abort()
    trial.reset()
  }
  return { trial, sent, stop }
}

/** Keeps a mapping for the next file with the same columns, in place of the one that was kept for them before. */
async function remember({ api }: OpenAccount, name: string, { preview, reading, mapping }: Trial): Promise<void> {
  const { sheet: _, ...kept } = reading
  const options = { ...kept, field_mapping: mapping }
  if (preview.recipe) await api.call('updateRecipe', { path: { id: preview.recipe.id }, body: { options } })
  else
    await api.call('createRecipe', {
      body: { name: `${name} ${new Date().toISOString()}`, columns: preview.columns.map(({ name }) => name), options },
    })
}

function mappingOf({ recipe }: Preview): Mapping {
  const kept = recipe?.options.field_mapping
  return typeof kept === 'object' && kept !== null ? (kept as Mapping) : {}
}
