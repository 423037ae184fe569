import { invalid, type Messages, tell } from '../../lib/app-error.ts'
import { isObject } from '../../lib/json.ts'
import { isStorable } from '../../lib/text.ts'
import type { FieldDefinition } from '../fields/definition.ts'
import { OPERATORS, OPERATORS_OF, type Operator } from './operators.ts'
import { type EventCondition, parseEvent } from './parse-event.ts'
import { COLUMN_NAMES, type Subject, subjectNamed, subjectOf } from './subjects.ts'
import { type Value, valueFrom } from './values.ts'

export interface Test {
  is: 'test'
  subject: Subject
  op: Operator
  values: Value[]
}

/** Criteria whose every part has been checked: what the compiler takes. */
export type Condition =
  | { is: 'all' | 'any'; of: Condition[] }
  | { is: 'not'; of: Condition }
  | Test
  | EventCondition
  /** Any of them. */
  | { is: 'tag'; tags: string[] }
  /** Any of them; before `expandLists` smart lists may stand among them, after it static ones alone. */
  | { is: 'list'; listIds: number[] }
  /** What `expandLists` makes of a smart list: who meets its criteria and has not left it. */
  | { is: 'smart'; listId: number; name: string; of: Condition }

/** What criteria may speak of. */
export interface Vocabulary {
  fieldNamed: (mergeTag: string) => FieldDefinition | undefined
  fieldNames: () => string[]
}

const DEEPEST = 10
const MOST_CONDITIONS = 100
const MOST_VALUES = 1000
/** Of all conditions together: each is a bound parameter, of which PostgreSQL takes 65,535 a statement. */
export const MOST_VALUES_IN_ALL = 10_000

export type Path = readonly (string | number)[]

/**
 * Checks criteria, the overview's map (`{plan: "Pro", state: ["pending", "none"]}`: every entry must hold, an array means
 * any of its values) or the nested language (`{all: [{field, op, value}, {any: […]}, {not: …}, {tag}, {list}]}`).
 * Throws `invalid` with every fault under its path, such as `criteria.all.1.value`.
 */
export function parseCriteria(input: unknown, vocabulary: Vocabulary, root = 'criteria'): Condition {
  const parser = new Parser(vocabulary)
  const condition = parser.node(input, [root], 1)
  parser.finish()
  return condition
}

/** Criteria as `storedForm` made them, which were checked then: they name fields by id. */
export function parseStored(stored: unknown, fieldNumbered: (id: number) => FieldDefinition | undefined): Condition {
  return new Parser({ fieldNamed: () => undefined, fieldNames: () => [] }, fieldNumbered).node(stored, ['criteria'], 1)
}

/**
 * Single entries of the map, each told of under a place of its own (`list_id` is where a request says `list`), and
 * criteria beside them; all must hold. Throws `invalid` with every fault.
 */
export function parseEntries(
  entries: readonly { key: string; value: unknown; place: string }[],
  criteria: unknown,
  vocabulary: Vocabulary,
): Condition {
  const parser = new Parser(vocabulary)
  const of = entries.map(({ key, value, place }) => parser.entry(key, value, [place]))
  if (criteria !== undefined) of.push(parser.node(criteria, ['criteria'], 1))
  parser.finish()
  return { is: 'all', of }
}

/** One filter of a query string: `company=Acme`, `company[contains]=ac`, several values meaning any of them. */
export function parseFilter(
  name: string,
  op: string | undefined,
  texts: readonly string[],
  vocabulary: Vocabulary,
): Condition {
  const parser = new Parser(vocabulary)
  const place = [op === undefined ? name : `${name}[${op}]`]
  const several = op === 'in' || op === 'not_in' || op === 'between'
  const values = several && texts.length === 1 ? texts[0]!.split(',') : texts
  const given = several || values.length > 1 ? values : values[0]
  const condition = parser.test(name, op ?? (values.length > 1 ? 'in' : 'eq'), given, {
    subject: place,
    op: place,
    value: place,
  })
  parser.finish()
  return condition
}

/**
 * Stands in for what could not be read. Of fresh criteria it never reaches the compiler. In stored ones it means that
 * nobody has such a value, which is so: a field's kind has changed since, or an option that no contact had has gone.
 */
const NOTHING: Condition = { is: 'any', of: [] }

export class Parser {
  readonly #vocabulary: Vocabulary
  /** Set while stored criteria are read. */
  readonly #fieldNumbered: ((id: number) => FieldDefinition | undefined) | undefined
  readonly #faults: Messages = {}
  #conditions = 0
  #values = 0

  constructor(vocabulary: Vocabulary, fieldNumbered?: (id: number) => FieldDefinition | undefined) {
    this.#vocabulary = vocabulary
    this.#fieldNumbered = fieldNumbered
  }

  finish(): void {
    if (Object.keys(this.#faults).length > 0) throw invalid(this.#faults)
  }

  node(input: unknown, path: Path, depth: number): Condition {
    if (depth > DEEPEST) return this.fault(path, `is nested too deep (maximum is ${DEEPEST})`)
    if (!isObject(input)) return this.fault(path, 'must be an object')
    if (!this.counts(path)) return NOTHING
    const keys = Object.keys(input)
    if (keys.length > MOST_CONDITIONS) return this.#tooMany(path)
    if (this.#fieldNumbered) {
      if ('field_id' in input) return this.#numbered(input, input.op ?? 'eq', input.value)
      if (Array.isArray(input.entries))
        return { is: 'all', of: input.entries.map((entry) => this.#storedEntry(entry, path)) }
    }
    if ('field' in input) return this.#fieldCondition(input, path)
    if ('event' in input) return parseEvent(this, input, path)
    if (keys.length === 1) {
      const key = keys[0]!
      const value = input[key]
      switch (key) {
        case 'all':
        case 'any':
          if (!Array.isArray(value)) return this.fault([...path, key], 'must be an array')
          if (value.length > MOST_CONDITIONS) return this.#tooMany(path)
          return { is: key, of: value.map((part, at) => this.node(part, [...path, key, at], depth + 1)) }
        case 'not':
          return { is: 'not', of: this.node(value, [...path, key], depth + 1) }
      }
    }
    return { is: 'all', of: keys.map((key) => this.entry(key, input[key], [...path, key])) }
  }

  /** Before each of them is looked at: a body may hold millions. */
  #tooMany(path: Path): Condition {
    return this.fault([path[0]!], `has too many conditions (maximum is ${MOST_CONDITIONS})`)
  }

  /** Counts one more condition; false, with the fault noted, when it is one too many. */
  counts(path: Path): boolean {
    if (++this.#conditions <= MOST_CONDITIONS) return true
    this.#tooMany(path)
    return false
  }

  #storedEntry(entry: Record<string, unknown>, path: Path): Condition {
    const { key, value } = entry
    if (typeof key === 'string') return this.entry(key, value, path)
    if (value === null) return this.#numbered(entry, 'is_not_set', undefined)
    return this.#numbered(entry, Array.isArray(value) ? 'in' : 'eq', value)
  }

  #numbered({ field_id: id }: Record<string, unknown>, op: unknown, value: unknown): Condition {
    const field = this.#fieldNumbered!(Number(id))
    const at = ['field_id']
    return field ? this.about(subjectOf(field), String(op), value, { subject: at, op: at, value: at }) : NOTHING
  }

  /** One entry of the shorthand. */
  entry(key: string, value: unknown, path: Path): Condition {
    if (!this.counts(path)) return NOTHING
    if (key === 'all' || key === 'any' || key === 'not')
      return this.fault(path, 'stands alone in its object: put the other conditions into its array')
    const values = Array.isArray(value) ? value : [value]
    if ((key === 'tag' || key === 'list') && !this.takes(values.length, path)) return NOTHING
    if (key === 'tag') return { is: 'tag', tags: [...new Set(values.map((tag) => this.tag(tag, path)))] }
    if (key === 'list') return { is: 'list', listIds: [...new Set(values.map((id) => this.list(id, path)))] }
    if (isObject(value))
      return this.fault(path, 'must be a value: for another operator write {"field": …, "op": …, "value": …}')
    if (value === null) return this.test(key, 'is_not_set', undefined, { subject: path, op: path, value: path })
    return this.test(key, Array.isArray(value) ? 'in' : 'eq', value, { subject: path, op: path, value: path })
  }

  #fieldCondition(input: Record<string, unknown>, path: Path): Condition {
    const { field, op, value, ...others } = input
    for (const key of Object.keys(others)) this.fault([...path, key], 'is not a known key: there are field, op, value')
    if (typeof field !== 'string') return this.fault([...path, 'field'], 'must be a string')
    if (op !== undefined && typeof op !== 'string') return this.fault([...path, 'op'], 'must be a string')
    return this.test(field, op ?? 'eq', value, {
      subject: [...path, 'field'],
      op: [...path, 'op'],
      value: [...path, 'value'],
    })
  }

  test(name: string, op: string, given: unknown, at: { subject: Path; op: Path; value: Path }): Condition {
    const subject = subjectNamed(name, this.#vocabulary.fieldNamed)
    if (!subject) {
      const names = [...COLUMN_NAMES, 'tag', 'list', 'event', ...this.#vocabulary.fieldNames()].join(', ')
      return this.fault(at.subject, `is not a field or filter: there are ${names}`)
    }
    return this.about(subject, op, given, at)
  }

  about(subject: Subject, op: string, given: unknown, at: { subject: Path; op: Path; value: Path }): Condition {
    const allowed = OPERATORS_OF[subject.kind]
    if (!allowed.includes(op as Operator)) {
      return this.fault(
        at.op,
        `is not an operator for ${subject.name}, which is a ${subject.kind}: there are ${allowed.join(', ')}`,
      )
    }
    const operator = op as Operator
    const inputs = this.operands(operator, given, at.value)
    if (!inputs) return NOTHING
    const values = inputs.flatMap((input, nth) => {
      const read = valueFrom(subject, operator, input)
      if ('value' in read) return [read.value]
      this.fault(Array.isArray(given) && at.value !== at.subject ? [...at.value, nth] : at.value, read.problem)
      return []
    })
    return this.#readable(operator, values, inputs.length) ? { is: 'test', subject, op: operator, values } : NOTHING
  }

  /** Whether there is enough left of the values; of a set, those that can be read. */
  #readable(op: Operator, values: Value[], given: number): boolean {
    return OPERATORS[op] === 'many' || values.length === given
  }

  /** The values that an operator is given, as many as it takes; undefined, with the fault noted, for another number. */
  operands(op: Operator, given: unknown, path: Path): unknown[] | undefined {
    const arity = OPERATORS[op]
    const several = arity === 'many' || arity === 'two'
    if (arity === 'none') return []
    if (several !== Array.isArray(given)) {
      this.fault(
        path,
        several
          ? `must be an array of ${arity === 'two' ? 'two values' : 'values'}`
          : 'must be one value, not an array',
      )
      return undefined
    }
    const values = [given].flat()
    if (arity === 'two' && values.length !== 2)
      this.fault(path, 'must be an array of two values: the lower and the upper bound')
    else if (this.takes(values.length, path)) return values
    return undefined
  }

  /** Whether there is room for so many values; else the fault is noted. */
  takes(count: number, path: Path): boolean {
    this.#values += count
    if (count > MOST_VALUES) this.fault(path, `has too many values (maximum is ${MOST_VALUES})`)
    else if (this.#values > MOST_VALUES_IN_ALL)
      this.fault([path[0]!], `has too many values in all (maximum is ${MOST_VALUES_IN_ALL})`)
    else return true
    return false
  }

  tag(tag: unknown, path: Path): string {
    if (typeof tag === 'string' && tag.trim() !== '' && isStorable(tag)) return tag.trim()
    this.fault(path, 'must be the name of a tag')
    return ''
  }

  list(id: unknown, path: Path): number {
    if (typeof id === 'number' && Number.isSafeInteger(id) && id > 0) return id
    this.fault(path, 'must be the id of a list')
    return 0
  }

  fault(path: Path, message: string): Condition {
    tell(this.#faults, path.join('.'), message)
    return NOTHING
  }
}

/** The lists that criteria name, each once. */
export function listsIn(condition: Condition): number[] {
  switch (condition.is) {
    case 'all':
    case 'any':
      return [...new Set(condition.of.flatMap(listsIn))]
    case 'not':
    case 'smart':
      return listsIn(condition.of)
    case 'list':
      return condition.listIds
    default:
      return []
  }
}
