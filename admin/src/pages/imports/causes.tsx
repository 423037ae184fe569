import { Button, Group, Stack, Text, TextInput } from '@mantine/core'
import type { Import } from '@rollcall/sdk'
import { useState } from 'react'
import { Panel } from '../../components/panel.tsx'
import * as en from '../../strings/en.ts'
import classes from './imports.module.css'

type Cause = Import['errors'][number]
export type Rule = keyof typeof en.imports.rules

/** What is done about a cause, for the whole file. */
export interface Mend {
  rules?: Record<string, Rule[]>
  value_mapping?: Record<string, Record<string, string | null>>
}

interface CausesProps {
  state: Import
  /** Undefined where nothing can be mended any more, or not by this user. */
  onMend: ((mend: Mend) => void) | undefined
  isBusy: boolean
}

/** Why rows are rejected, each cause with what would mend it. */
export function Causes({ state, onMend, isBusy }: CausesProps) {
  if (state.errors.length === 0) return null
  return (
    <Panel title={en.imports.causes} about={onMend && en.imports.causesText}>
      <Stack gap="md">
        {state.errors.map((cause) => (
          <div key={`${cause.field} ${cause.message}`} className={classes.cause}>
            <Group justify="space-between" gap="sm" align="flex-start">
              <div>
                <Text fw={600}>
                  {cause.column ?? cause.field}: {cause.message.replace(/^is invalid: /, '')}
                </Text>
                <Text size="sm" c="dimmed">
                  {en.imports.causeRows(cause.count, cause.line)}
                </Text>
              </div>
              {onMend && cause.column !== null && (
                <Group gap="xs">
                  {rulesFor(cause).map((rule) => (
                    <Button
                      key={rule}
                      size="xs"
                      variant="default"
                      disabled={isBusy}
                      onClick={() => onMend({ rules: { [cause.column!]: [rule] } })}
                    >
                      {en.imports.rules[rule]}
                    </Button>
                  ))}
                </Group>
              )}
            </Group>
            {onMend && cause.values.length > 0 && <Values cause={cause} onMend={onMend} isBusy={isBusy} />}
          </div>
        ))}
      </Stack>
    </Panel>
  )
}

function rulesFor({ field, message }: Cause): Rule[] {
  if (field !== 'email' || /missing|blank|empty/i.test(message)) return []
  return ['address', 'first_address']
}

/** Says what values stand for that were not understood. */
function Values({ cause, onMend, isBusy }: { cause: Cause; onMend: (mend: Mend) => void; isBusy: boolean }) {
  const [meant, setMeant] = useState<Record<string, string>>({})
  const column = cause.column ?? cause.field
  return (
    <Stack gap="sm" mt="sm">
      <div className={classes.pair}>
        {cause.values.map(({ value }) => (
          <TextInput
            key={value}
            size="xs"
            label={en.imports.standsFor(value)}
            placeholder={en.imports.standsForHint}
            value={meant[value] ?? ''}
            onChange={(event) => setMeant({ ...meant, [value]: event.currentTarget.value })}
          />
        ))}
      </div>
      <Group>
        <Button
          size="xs"
          variant="default"
          disabled={isBusy}
          onClick={() =>
            onMend({
              value_mapping: {
                [column]: Object.fromEntries(cause.values.map(({ value }) => [value, meant[value]?.trim() || null])),
              },
            })
          }
        >
          {en.imports.mendValues}
        </Button>
      </Group>
    </Stack>
  )
}
