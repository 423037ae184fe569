import {
  Autocomplete,
  Group,
  MultiSelect,
  NumberInput,
  type OptionsFilter,
  Select,
  TagsInput,
  Text,
  TextInput,
} from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useAccount } from '../api/client.ts'
import { valuesQuery } from '../api/queries.ts'
import { number } from '../strings/en/common.ts'
import * as en from '../strings/en.ts'
import classes from './builder.module.css'
import { OPERATORS, type Operator, type Subject } from './table.ts'
import { daysOf } from './words.ts'

interface Props {
  subject: Subject
  op: Operator
  value: unknown
  onChange: (value: unknown) => void
  /** Whether values can be looked up in contacts; those of an event's parameters can't. */
  suggests?: boolean
}

/** After a pause in typing, in ms. */
const PAUSE_MS = 200

/** What is typed stands in the JSON as what it is: a number for a field of numbers, else text. */
function typed(subject: Subject, text: string): unknown {
  if (subject.kind === 'number' && text.trim() !== '' && Number.isFinite(Number(text))) return Number(text)
  if (subject.kind === 'boolean') return text === 'true'
  return text
}

/** The input for what an operator takes, by the kind of the subject. */
export function ValueInput(props: Props) {
  const { subject, op, value, onChange } = props
  switch (OPERATORS[op]) {
    case 'none':
      return null
    case 'days':
      return (
        <NumberInput
          className={classes.days}
          aria-label={en.criteria.value}
          min={0}
          max={36_500}
          allowDecimal={false}
          suffix={` ${en.criteria.days}`}
          value={daysOf(value) ?? ''}
          onChange={(days) => onChange(days === '' ? '' : `${days}d`)}
        />
      )
    case 'two': {
      const [from, to] = Array.isArray(value) ? value : [undefined, undefined]
      return (
        <Group gap="xs" wrap="nowrap" className={classes.value}>
          <One {...props} label={en.criteria.from} value={from} onChange={(next) => onChange([next, to ?? ''])} />
          <Text size="sm" c="dimmed">
            {en.criteria.and}
          </Text>
          <One {...props} label={en.criteria.to} value={to} onChange={(next) => onChange([from ?? '', next])} />
        </Group>
      )
    }
    case 'many':
      return (
        <Many
          {...props}
          values={[value ?? []].flat().map(String)}
          onValues={(texts) => onChange(texts.map((text) => typed(subject, text)))}
        />
      )
    default:
      return <One {...props} label={en.criteria.value} />
  }
}

function One({ subject, value, onChange, suggests = true, label }: Props & { label: string }) {
  const common = { 'aria-label': label, className: classes.value }
  const text = value === undefined || value === null ? '' : String(value)
  if (subject.kind === 'boolean')
    return (
      <Select
        {...common}
        allowDeselect={false}
        data={[
          { value: 'true', label: en.criteria.yes },
          { value: 'false', label: en.criteria.no },
        ]}
        value={text === '' ? null : text}
        onChange={(next) => onChange(next === 'true')}
      />
    )
  if (subject.words)
    return (
      <Select
        {...common}
        searchable
        allowDeselect={false}
        data={[...new Set(text === '' ? subject.words : [...subject.words, text])]}
        value={text || null}
        onChange={onChange}
      />
    )
  if (subject.kind === 'number')
    return (
      <NumberInput {...common} value={typeof value === 'number' ? value : text} onChange={(next) => onChange(next)} />
    )
  if (subject.kind === 'date' || subject.kind === 'moment') {
    // A moment to the second is kept as it was written: a calendar would cut its hours off.
    const isDay = text === '' || /^\d{4}-\d{2}-\d{2}$/.test(text)
    return (
      <TextInput
        {...common}
        type={isDay ? 'date' : 'text'}
        value={text}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
    )
  }
  if (!suggests) return <TextInput {...common} value={text} onChange={(event) => onChange(event.currentTarget.value)} />
  return <Suggesting {...common} name={subject.name} value={text} onChange={onChange} />
}

/** Text, with what contacts have under that name. */
function Suggesting({
  name,
  value,
  onChange,
  ...common
}: {
  name: string
  value: string
  onChange: (text: string) => void
  className?: string | undefined
}) {
  const [asked, setAsked] = useState(false)
  const data = useSuggestions(name, value, asked)
  return (
    <Autocomplete
      {...common}
      data={data.map((suggestion) => suggestion.value)}
      filter={asFound}
      renderOption={counted(data)}
      value={value}
      onChange={onChange}
      onFocus={() => setAsked(true)}
    />
  )
}

function Many({
  subject,
  values,
  onValues,
  suggests = true,
}: Props & { values: string[]; onValues: (texts: string[]) => void }) {
  const common = { 'aria-label': en.criteria.values, className: classes.value, value: values, onChange: onValues }
  if (subject.words) return <MultiSelect {...common} searchable data={[...new Set([...subject.words, ...values])]} />
  return suggests ? <ManySuggesting {...common} name={subject.name} /> : <TagsInput {...common} acceptValueOnBlur />
}

interface ManyProps {
  'aria-label': string
  className?: string | undefined
  name: string
  value: string[]
  onChange: (texts: string[]) => void
}

/** Several texts, with what contacts have under that name; of tags, too. */
export function ManySuggesting({ name, ...props }: ManyProps) {
  const [text, setText] = useState('')
  const [asked, setAsked] = useState(false)
  const found = useSuggestions(name, text, asked)
  // Once there is a choice they come back with the next letter: else they would lie over what stands below.
  const data = text === '' && props.value.length > 0 ? [] : found
  return (
    <TagsInput
      {...props}
      acceptValueOnBlur
      data={data.map((suggestion) => suggestion.value)}
      filter={asFound}
      renderOption={counted(data)}
      searchValue={text}
      onSearchChange={setText}
      onFocus={() => setAsked(true)}
    />
  )
}

type Suggestions = readonly { value: string; count?: number }[]

/** The server has looked for what was typed, and in which order they stand. */
const asFound: OptionsFilter = ({ options }) => options

/** A suggestion, with how many contacts have it. */
const counted = (suggestions: Suggestions) =>
  function Suggested({ option }: { option: { value: string } }) {
    const count = suggestions.find(({ value }) => value === option.value)?.count
    return (
      <Group justify="space-between" wrap="nowrap" gap="sm" flex="1">
        <span className={classes.suggestion}>{option.value}</span>
        {count !== undefined && (
          <Text size="xs" c="dimmed" component="span">
            {number(count)}
          </Text>
        )}
      </Group>
    )
  }

function useSuggestions(name: string, text: string, enabled: boolean): Suggestions {
  const account = useAccount()
  const [settled] = useDebouncedValue(text, PAUSE_MS)
  const { data } = useQuery({ ...valuesQuery(account, name, settled), enabled, placeholderData: keepPreviousData })
  return data ?? []
}
