import { MultiSelect, Select, Text } from '@mantine/core'
import * as en from '../strings/en.ts'
import classes from './builder.module.css'
import { EventInputs } from './event-inputs.tsx'
import { OPERATORS, OPERATORS_OF, type Operator, type Subject } from './table.ts'
import { type EventNode, edited, type MemberNode, newKey, type TestNode } from './tree.ts'
import { ManySuggesting, ValueInput } from './value-input.tsx'
import { useBuilding, type Vocabulary } from './vocabulary.ts'

export type ConditionNode = TestNode | MemberNode | EventNode

/** Stand among the fields in the choice of what a condition is about; no merge tag can be like them. */
const SPECIAL = { tag: '#tag', list: '#list', event: '#event' } as const

interface Props {
  node: ConditionNode
  path: string
  onChange: (node: ConditionNode) => void
}

/** One condition: what it is about, how that is compared, and with what. */
export function Condition({ node, path, onChange }: Props) {
  const { vocabulary, faults } = useBuilding()
  const told = Object.entries(faults)
    .filter(([place]) => place === path || place.startsWith(`${path}.`))
    .flatMap(([, texts]) => texts)
  return (
    <div className={classes.condition}>
      <div className={classes.inputs}>
        <Select
          className={classes.subject}
          aria-label={en.criteria.about}
          searchable
          allowDeselect={false}
          maxDropdownHeight={320}
          data={subjectsFor(vocabulary, node)}
          value={node.is === 'test' ? node.field : SPECIAL[node.is]}
          onChange={(name) => name !== null && onChange(about(node, name, vocabulary))}
        />
        {node.is === 'test' && <Test node={node} onChange={onChange} />}
        {node.is === 'tag' && (
          <>
            <Text size="sm" className={classes.fixed}>
              {en.criteria.tagOp}
            </Text>
            <ManySuggesting
              aria-label={en.criteria.tag}
              className={classes.value}
              name="tag"
              value={[node.value ?? []].flat().map(String)}
              onChange={(value) => onChange({ ...node, value })}
            />
          </>
        )}
        {node.is === 'list' && <Lists node={node} vocabulary={vocabulary} onChange={onChange} />}
        {node.is === 'event' && <EventInputs node={node} onChange={onChange} />}
      </div>
      {told.length > 0 && (
        <Text size="xs" c="var(--mantine-color-error)" role="alert">
          {told.join('; ')}
        </Text>
      )}
    </div>
  )
}

function Test({ node, onChange }: { node: TestNode; onChange: Props['onChange'] }) {
  const { vocabulary } = useBuilding()
  const subject = vocabulary.find(node.field) ?? { name: node.field, label: node.field, kind: 'text' as const }
  return (
    <>
      <OperatorSelect
        subject={subject}
        op={node.op}
        onChange={(op) => onChange(edited(node, { op, value: valueFor(op, node) }))}
      />
      <ValueInput
        subject={subject}
        op={node.op}
        value={node.value}
        onChange={(value) => onChange(edited(node, { value }))}
      />
    </>
  )
}

export function OperatorSelect({
  subject,
  op,
  onChange,
}: {
  subject: Subject
  op: Operator
  onChange: (op: Operator) => void
}) {
  const offered = OPERATORS_OF[subject.kind]
  return (
    <Select
      className={classes.operator}
      aria-label={en.criteria.operator}
      allowDeselect={false}
      data={(offered.includes(op) ? offered : [...offered, op]).map((value) => ({
        value,
        label: en.criteria.operators[value] ?? value,
      }))}
      value={op}
      onChange={(next) => next !== null && onChange(next as Operator)}
    />
  )
}

/** What of a value another operator can keep. */
export function valueFor(op: Operator, { op: before, value }: { op: Operator; value: unknown }): unknown {
  const arity = OPERATORS[op]
  if (arity === OPERATORS[before]) return value
  const [first] = [value].flat()
  switch (arity) {
    case 'none':
      return undefined
    case 'many':
      return first === undefined || first === '' ? [] : [value].flat()
    case 'two':
      return [first ?? '', '']
    case 'days':
      return '30d'
    default:
      return OPERATORS[before] === 'days' ? '' : (first ?? '')
  }
}

function Lists({
  node,
  vocabulary,
  onChange,
}: {
  node: MemberNode
  vocabulary: Vocabulary
  onChange: Props['onChange']
}) {
  const chosen = [node.value ?? []].flat().map(String)
  const known = vocabulary.lists.map(({ id, name }) => ({ value: String(id), label: name }))
  const unknown = chosen
    .filter((id) => !known.some(({ value }) => value === id))
    .map((value) => ({ value, label: vocabulary.list(Number(value)) }))
  return (
    <>
      <Text size="sm" className={classes.fixed}>
        {en.criteria.listOp}
      </Text>
      <MultiSelect
        aria-label={en.criteria.list}
        className={classes.value}
        searchable
        data={[...known, ...unknown]}
        value={chosen}
        onChange={(ids) => onChange({ ...node, value: ids.map(Number) })}
      />
    </>
  )
}

function subjectsFor({ attributes, fields, find }: Vocabulary, node: ConditionNode) {
  const item = ({ name, label }: Subject) => ({ value: name, label })
  const unknown =
    node.is === 'test' && !find(node.field) ? [{ value: node.field, label: en.criteria.unknownField(node.field) }] : []
  return [
    { group: en.criteria.groups.fields, items: [...unknown, ...fields.map(item)] },
    { group: en.criteria.groups.attributes, items: attributes.map(item) },
    {
      group: en.criteria.groups.more,
      items: [
        { value: SPECIAL.tag, label: en.criteria.tag },
        { value: SPECIAL.list, label: en.criteria.list },
        { value: SPECIAL.event, label: en.criteria.event },
      ],
    },
  ].filter(({ items }) => items.length > 0)
}

/** The condition about something else; what was compared is kept where the kinds are the same. */
function about(node: ConditionNode, name: string, vocabulary: Vocabulary): ConditionNode {
  const { key } = node
  if (name === SPECIAL.tag || name === SPECIAL.list)
    return { is: name === SPECIAL.tag ? 'tag' : 'list', key, value: [] }
  if (name === SPECIAL.event)
    return {
      is: 'event',
      key,
      event: 'email_opened',
      within: '30d',
      count: undefined,
      params: undefined,
      machine: undefined,
      paramsForm: 'long',
    }
  const kindBefore = node.is === 'test' ? vocabulary.find(node.field)?.kind : undefined
  if (node.is === 'test' && kindBefore === vocabulary.find(name)?.kind) return edited(node, { field: name })
  return testAbout(vocabulary.find(name), name, key)
}

/** A fresh condition about a field. */
export function testAbout(subject: Subject | undefined, name: string, key = newKey()): TestNode {
  const value = subject?.kind === 'boolean' ? true : ''
  return { is: 'test', key, field: name, op: 'eq', value, form: 'long' }
}
