import { Autocomplete, Button, CloseButton, Group, NumberInput, Select, Stack, Switch, TextInput } from '@mantine/core'
import { Plus } from 'lucide-react'
import * as en from '../strings/en.ts'
import classes from './builder.module.css'
import { OperatorSelect, valueFor } from './condition.tsx'
import { EVENT_TYPES, type Kind, type Operator, type Subject } from './table.ts'
import { type EventNode, edited, newKey, type ParamTest } from './tree.ts'
import { ValueInput } from './value-input.tsx'
import { windowOf } from './words.ts'

const BOUNDS = [
  ['gte', en.criteria.timesAtLeast],
  ['gt', en.criteria.timesMore],
  ['eq', en.criteria.timesExactly],
  ['lte', en.criteria.timesAtMost],
  ['lt', en.criteria.timesLess],
] as const

type Counts = Record<string, number>

/** What happened, how often, within which time, and with what. */
export function EventInputs({ node, onChange }: { node: EventNode; onChange: (node: EventNode) => void }) {
  const names = [node.event].flat().map(String)
  const counts = Object.entries((node.count ?? { gte: 1 }) as Counts)
  const window = windowOf(node.within)
  const params = node.params ?? []
  const setCount = (at: number, entry: [string, number]) =>
    onChange({ ...node, count: Object.fromEntries(counts.map((known, position) => (position === at ? entry : known))) })
  const setParams = (next: ParamTest[]) => onChange({ ...node, params: next.length > 0 ? next : undefined })

  return (
    <Stack gap="xs" className={classes.event}>
      <div className={classes.inputs}>
        {names.map((name, at) => (
          <Autocomplete
            // biome-ignore lint/suspicious/noArrayIndexKey: a name has no other place than its own
            key={at}
            className={classes.value}
            aria-label={en.criteria.eventName}
            data={[...EVENT_TYPES]}
            value={name}
            onChange={(text) => onChange({ ...node, event: Array.isArray(node.event) ? names.with(at, text) : text })}
          />
        ))}
        {counts.map(([bound, times], at) => (
          <Group key={bound} gap={4} wrap="nowrap">
            <Select
              className={classes.bound}
              aria-label={en.criteria.times}
              allowDeselect={false}
              data={BOUNDS.map(([value, label]) => ({ value, label }))}
              value={bound}
              onChange={(next) => next !== null && setCount(at, [next, times])}
            />
            <NumberInput
              className={classes.days}
              aria-label={en.criteria.timesUnit}
              suffix={` ${times === 1 ? en.criteria.timesOnce : en.criteria.timesUnit}`}
              min={0}
              allowDecimal={false}
              value={times}
              onChange={(next) => setCount(at, [bound, Number(next)])}
            />
          </Group>
        ))}
        <Select
          className={classes.bound}
          aria-label={en.criteria.within}
          allowDeselect={false}
          data={[
            { value: 'ever', label: en.criteria.ever },
            { value: 'last', label: en.criteria.withinLast },
          ]}
          value={window ? 'last' : 'ever'}
          onChange={(next) => onChange({ ...node, within: next === 'last' ? '30d' : undefined })}
        />
        {window && (
          <Group gap={4} wrap="nowrap">
            <NumberInput
              className={classes.number}
              aria-label={en.criteria.within}
              min={1}
              allowDecimal={false}
              value={window.size}
              onChange={(size) => onChange({ ...node, within: `${size || 1}${window.unit}` })}
            />
            <Select
              className={classes.unit}
              aria-label={en.criteria.within}
              allowDeselect={false}
              data={Object.entries(en.criteria.units).map(([value, label]) => ({ value, label }))}
              value={window.unit}
              onChange={(unit) => onChange({ ...node, within: `${window.size}${unit}` })}
            />
          </Group>
        )}
      </div>
      {params.map((test, at) => (
        <div key={test.key} className={classes.inputs}>
          <TextInput
            className={classes.subject}
            aria-label={en.criteria.param}
            placeholder={en.criteria.param}
            value={test.param}
            onChange={(event) => setParams(params.with(at, { ...test, param: event.currentTarget.value }))}
          />
          <OperatorSelect
            subject={paramSubject(test)}
            op={test.op}
            onChange={(op) => setParams(params.with(at, edited(test, { op, value: valueFor(op, test) })))}
          />
          <ValueInput
            suggests={false}
            subject={paramSubject(test)}
            op={test.op}
            value={test.value}
            onChange={(value) => setParams(params.with(at, edited(test, { value: asParam(value) })))}
          />
          <CloseButton
            aria-label={en.criteria.removeParam}
            onClick={() => setParams(params.filter((_, position) => position !== at))}
          />
        </div>
      ))}
      <Group gap="md">
        <Button
          size="compact-xs"
          variant="subtle"
          leftSection={<Plus size={13} />}
          onClick={() =>
            onChange({
              ...node,
              paramsForm: 'long',
              params: [...params, { key: newKey(), param: '', op: 'eq', value: '', form: 'long' }],
            })
          }
        >
          {en.criteria.addParam}
        </Button>
        {names.some((name) => name === 'email_opened' || name === 'email_clicked') && (
          <Switch
            size="xs"
            label={en.criteria.machine}
            checked={node.machine === true}
            onChange={(event) => onChange({ ...node, machine: event.currentTarget.checked || undefined })}
          />
        )}
      </Group>
    </Stack>
  )
}

const NUMERIC: readonly Operator[] = ['gt', 'gte', 'lt', 'lte', 'between']

/** A parameter has no definition: its kind is that of what it is compared with. */
function paramSubject({ param, op, value }: ParamTest): Subject {
  const [first] = [value].flat()
  const kind: Kind = NUMERIC.includes(op) ? 'date' : typeof first === 'boolean' ? 'boolean' : 'text'
  // All that texts, numbers and days can be asked: a condition that the server finds odd is told at its place.
  return { name: param, label: param, kind: kind === 'date' ? 'number' : kind }
}

/** A number as a number: the server compares a value as what it is. */
function asParam(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asParam)
  return typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value
}
