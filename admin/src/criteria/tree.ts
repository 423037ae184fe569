import type { Operator } from './table.ts'

/**
 * Criteria as the builder holds them: every part that the language has, with a key by which React knows it, and with what
 * is needed to write exactly the JSON that was read. Only what is edited is written in the long form.
 */
export type Node = GroupNode | NotNode | TestNode | MemberNode | EventNode | RawNode

interface Keyed {
  /** The same through all edits of this node. */
  key: string
}

export interface GroupNode extends Keyed {
  is: 'group'
  how: 'all' | 'any'
  of: Node[]
  /** Written as a map, `{"plan": "Pro", "tag": "lead"}`, as long as its parts can be. */
  short?: true
}

export interface NotNode extends Keyed {
  is: 'not'
  of: Node
}

export interface TestNode extends Keyed {
  is: 'test'
  field: string
  op: Operator
  value: unknown
  /** Written as `{"plan": "Pro"}`; `bare`: as `{"field", "value"}` without its operator. */
  form: 'short' | 'bare' | 'long'
}

/** Who has a tag, or is in a list. */
export interface MemberNode extends Keyed {
  is: 'tag' | 'list'
  /** One, or an array: any of them. */
  value: unknown
}

export interface EventNode extends Keyed {
  is: 'event'
  event: unknown
  within: unknown
  count: unknown
  params: ParamTest[] | undefined
  machine: unknown
  paramsForm: 'short' | 'long'
}

export interface ParamTest extends Keyed {
  param: string
  op: Operator
  value: unknown
  form: 'short' | 'bare' | 'long'
}

/** What this builder has no form for: it stays as it was written. */
export interface RawNode extends Keyed {
  is: 'raw'
  json: unknown
}

let keys = 0
export const newKey = () => `n${++keys}`

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const EVENT_KEYS = ['event', 'within', 'count', 'params', 'machine']
const TEST_KEYS = ['field', 'op', 'value']

/** The tree of criteria as JSON has them; what can't be read is kept as it is. */
export function read(json: unknown): Node {
  return readNode(json) ?? { is: 'raw', key: newKey(), json }
}

function readNode(json: unknown): Node | undefined {
  if (!isObject(json)) return undefined
  const keysOf = Object.keys(json)
  if ('field' in json) return readTest(json, keysOf)
  if ('event' in json) return readEvent(json, keysOf)
  if (keysOf.length === 1) {
    const [how] = keysOf
    if (how === 'not') return { is: 'not', key: newKey(), of: read(json.not) }
    if (how === 'all' || how === 'any') {
      const of = json[how]
      return Array.isArray(of) ? { is: 'group', key: newKey(), how, of: of.map(read) } : undefined
    }
  }
  const of = keysOf.map((key) => readEntry(key, json[key]))
  if (!of.every((node) => node !== undefined)) return undefined
  return of.length === 1 ? of[0] : { is: 'group', key: newKey(), how: 'all', of, short: true }
}

/** One entry of the map. */
function readEntry(key: string, value: unknown): TestNode | MemberNode | undefined {
  if (key === 'all' || key === 'any' || key === 'not' || isObject(value)) return undefined
  if (key === 'tag' || key === 'list') return { is: key, key: newKey(), value }
  return { is: 'test', key: newKey(), field: key, form: 'short', ...shortTest(value) }
}

function shortTest(value: unknown): { op: Operator; value: unknown } {
  if (value === null) return { op: 'is_not_set', value: undefined }
  return { op: Array.isArray(value) ? 'in' : 'eq', value }
}

function readTest(json: Record<string, unknown>, keysOf: string[]): TestNode | undefined {
  const { field, op, value } = json
  if (typeof field !== 'string' || !keysOf.every((key) => TEST_KEYS.includes(key))) return undefined
  if (op !== undefined && typeof op !== 'string') return undefined
  return {
    is: 'test',
    key: newKey(),
    field,
    op: (op ?? 'eq') as Operator,
    value,
    form: op === undefined ? 'bare' : 'long',
  }
}

function readEvent(json: Record<string, unknown>, keysOf: string[]): EventNode | undefined {
  if (!keysOf.every((key) => EVENT_KEYS.includes(key))) return undefined
  const { event, within, count, params, machine } = json
  const paramsForm = Array.isArray(params) ? 'long' : 'short'
  const tests = Array.isArray(params)
    ? params.map(readParam)
    : isObject(params)
      ? Object.entries(params).map(readParamEntry)
      : []
  if (
    !tests.every((test) => test !== undefined) ||
    (params !== undefined && !Array.isArray(params) && !isObject(params))
  )
    return undefined
  return {
    is: 'event',
    key: newKey(),
    event,
    within,
    count,
    params: params === undefined ? undefined : tests,
    machine,
    paramsForm,
  }
}

function readParam(json: unknown): ParamTest | undefined {
  if (!isObject(json)) return undefined
  const { param, op, value } = json
  if (typeof param !== 'string' || (op !== undefined && typeof op !== 'string')) return undefined
  if (!Object.keys(json).every((key) => ['param', 'op', 'value'].includes(key))) return undefined
  return { key: newKey(), param, op: (op ?? 'eq') as Operator, value, form: op === undefined ? 'bare' : 'long' }
}

function readParamEntry([param, value]: [string, unknown]): ParamTest | undefined {
  return isObject(value) ? undefined : { key: newKey(), param, form: 'short', ...shortTest(value) }
}

/** The JSON of a tree: for one that was read and not changed, exactly what was read. */
export function write(node: Node): unknown {
  switch (node.is) {
    case 'raw':
      return node.json
    case 'not':
      return { not: write(node.of) }
    case 'tag':
    case 'list':
      return { [node.is]: node.value }
    case 'test':
      return writeTest(node)
    case 'event':
      return writeEvent(node)
    case 'group':
      // By entries, as an assignment would take a name such as __proto__ for something else.
      return isMap(node)
        ? Object.fromEntries(node.of.flatMap((part) => Object.entries(write(part) as object)))
        : { [node.how]: node.of.map(write) }
  }
}

/** Whether a group that was a map can be one still. */
export function isMap({ short, how, of }: GroupNode): boolean {
  if (!short || how !== 'all') return false
  const names = of.map((node) =>
    node.is === 'tag' || node.is === 'list'
      ? node.is
      : node.is === 'test' && node.form === 'short'
        ? node.field
        : undefined,
  )
  return (
    names.every((name) => name !== undefined) &&
    new Set(names).size === names.length &&
    (of.length !== 1 || of[0]!.is !== 'raw')
  )
}

function writeTest({ field, op, value, form }: TestNode): unknown {
  if (form === 'short') return { [field]: op === 'is_not_set' ? null : value }
  return { field, ...(form === 'long' ? { op } : {}), ...(value === undefined ? {} : { value }) }
}

function writeEvent({ event, within, count, params, machine, paramsForm }: EventNode): unknown {
  const given = { event, within, count, params: params && writeParams(params, paramsForm), machine }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

function writeParams(params: readonly ParamTest[], form: 'short' | 'long'): unknown {
  const distinct = new Set(params.map(({ param }) => param)).size === params.length
  if (form === 'short' && distinct && params.every((test) => test.form === 'short'))
    return Object.fromEntries(params.map(({ param, op, value }) => [param, op === 'is_not_set' ? null : value]))
  return params.map(({ param, op, value, form: own }) => ({
    param,
    ...(own === 'bare' ? {} : { op }),
    ...(value === undefined ? {} : { value }),
  }))
}

/** The tree with one node replaced, or, by undefined, taken out. What stands above it and can't be a map any more becomes a group. */
export function replace(tree: Node, key: string, by: Node | undefined): Node | undefined {
  if (tree.key === key) return by
  if (tree.is === 'not') {
    const of = replace(tree.of, key, by)
    return of === tree.of ? tree : of && { ...tree, of }
  }
  if (tree.is !== 'group') return tree
  const of = tree.of.map((node) => replace(node, key, by))
  if (of.every((node, at) => node === tree.of[at])) return tree
  return { ...tree, of: of.filter((node) => node !== undefined) }
}

/** Of criteria that have no condition at all, everybody meets them. */
export function isEveryone(node: Node): boolean {
  return node.is === 'group' && node.how === 'all' && node.of.every(isEveryone)
}

/** How many conditions stand in it. */
export function size(node: Node): number {
  return node.is === 'group'
    ? node.of.reduce((sum, part) => sum + size(part), 0)
    : node.is === 'not'
      ? size(node.of)
      : 1
}

/** The tree as a group: criteria of a single condition, or none, become the group around it that a builder begins with. */
export function asGroup(node: Node): GroupNode {
  return node.is === 'group' ? node : { is: 'group', key: newKey(), how: 'all', of: [node] }
}

/** A test with another field, operator or value. It stays in its short form only where that can say the same. */
export function edited<Test extends TestNode | ParamTest>(
  test: Test,
  change: Partial<Pick<TestNode, 'field' | 'op' | 'value'>>,
): Test {
  const next = { ...test, ...change }
  const { op, value } = next
  const fitsShort =
    op === 'is_not_set' ||
    (op === 'eq' && !Array.isArray(value) && value !== undefined && value !== null) ||
    (op === 'in' && Array.isArray(value))
  return { ...next, form: next.form === 'short' && fitsShort ? 'short' : 'long' }
}
