import * as en from '../strings/en.ts'
import { OPERATORS } from './table.ts'
import { type EventNode, isEveryone, type Node, type ParamTest, type TestNode } from './tree.ts'

const { sentence, operators, events } = en.criteria

/** What the ids and names in criteria are called. */
export interface Names {
  subject: (name: string) => string
  list: (id: number) => string
}

/** Criteria as a sentence in plain language. */
export function describe(node: Node, names: Names): string {
  return isEveryone(node) ? sentence.everyone : sentence.who(phrase(node, names, true))
}

/** The same within a longer sentence. */
export function phrase(node: Node, names: Names, isOutermost = false): string {
  switch (node.is) {
    case 'group': {
      const parts = node.of.map((part) => phrase(part, names))
      const text = parts.join(node.how === 'all' ? sentence.and : sentence.or)
      return isOutermost || parts.length < 2 ? text : `(${text})`
    }
    case 'not':
      return sentence.not(phrase(node.of, names, true))
    case 'tag':
      return sentence.tag(anyOf(node.value))
    case 'list':
      return sentence.list(
        [node.value]
          .flat()
          .map((id) => names.list(Number(id)))
          .join(sentence.or),
      )
    case 'test':
      return testPhrase(names.subject(node.field), node)
    case 'event':
      return eventPhrase(node)
    case 'raw':
      return sentence.raw(JSON.stringify(node.json))
  }
}

function anyOf(value: unknown): string {
  return [value].flat().map(shown).join(sentence.or)
}

function shown(value: unknown): string {
  if (typeof value === 'boolean') return value ? en.criteria.yes : en.criteria.no
  return typeof value === 'number' ? sentence.number(value) : String(value ?? '…')
}

function testPhrase(subject: string, { op, value }: Pick<TestNode | ParamTest, 'op' | 'value'>): string {
  const said = operators[op] ?? op
  switch (OPERATORS[op]) {
    case 'none':
      return `${subject} ${said}`
    case 'two': {
      const [from, to] = Array.isArray(value) ? value : []
      return `${subject} ${said} ${shown(from)} ${en.criteria.and} ${shown(to)}`
    }
    case 'days':
      return `${subject} ${said} ${sentence.days(daysOf(value) ?? 0)}`
    default:
      return `${subject} ${said} ${anyOf(value)}`
  }
}

function eventPhrase({ event, within, count, params = [] }: EventNode): string {
  const what = [event]
    .flat()
    .map((name) => events[String(name)] ?? sentence.did(String(name ?? '…')))
    .join(sentence.or)
  const bounds = Object.entries((count ?? {}) as Record<string, number>).map(
    ([bound, n]) => sentence.bound[bound]?.(n) ?? bound,
  )
  const window = windowOf(within)
  return sentence.event(
    what,
    bounds.length > 0 ? sentence.times(bounds.join(sentence.and)) : '',
    window ? sentence.within(window.size, window.unit) : '',
    params.length > 0 ? sentence.params(params.map((test) => testPhrase(test.param, test)).join(sentence.and)) : '',
  )
}

/** `30` and `30d` → 30. */
export function daysOf(value: unknown): number | undefined {
  const [, digits] = /^(\d+)d?$/.exec(String(value ?? '')) ?? []
  return digits === undefined ? undefined : Number(digits)
}

/** `30d` → 30 days; undefined: no window. */
export function windowOf(within: unknown): { size: number; unit: 'h' | 'd' | 'w' } | undefined {
  const [, digits, unit = 'd'] = /^(\d+)([hdw])?$/.exec(String(within ?? '')) ?? []
  return digits === undefined ? undefined : { size: Number(digits), unit: unit as 'h' | 'd' | 'w' }
}
