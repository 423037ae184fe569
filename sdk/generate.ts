/** What is read of an OpenAPI document: everything stands where it is used, there are no references. */
export interface Document {
  paths: Record<string, Record<string, Operation>>
}

interface Operation {
  operationId?: string
  summary?: string
  description?: string
  parameters?: { name: string; in: 'path' | 'query' | 'header'; required?: boolean; schema: Schema }[]
  requestBody?: { required?: boolean; content: Record<string, { schema: Schema }> }
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>
}

type Schema = Record<string, unknown>

const HEADER = `// Generated from the OpenAPI document of the service: \`npm run generate -w sdk\`. A test fails while it is not current.
`

/** Keywords that narrow what is taken and leave the type as it is. */
const NARROWING = new Set([
  'default',
  'format',
  'maximum',
  'maxItems',
  'maxLength',
  'maxProperties',
  'minimum',
  'minItems',
  'minLength',
  'pattern',
])
const UNDERSTOOD = new Set([
  ...NARROWING,
  'additionalProperties',
  'anyOf',
  'description',
  'enum',
  'items',
  'properties',
  'required',
  'type',
])

/** A part of a path is text on the wire, whatever it stands for. */
const IN_PATH: Schema = { anyOf: [{ type: 'string' }, { type: 'number' }] }

/** The module `operations.ts`: how each operation is called, and the types of what it takes and answers. */
export function operationsFrom(document: Document): string {
  const operations = Object.entries(document.paths)
    .flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ path, method, operation })))
    .sort((a, b) => (nameOf(a.operation, a.path) < nameOf(b.operation, b.path) ? -1 : 1))
  const calls = operations.map(
    ({ path, method, operation }) =>
      `  ${nameOf(operation, path)}: ['${method.toUpperCase()}', '${path.replace(/^\/api/, '')}'],\n`,
  )
  const types = operations.map(
    ({ path, method, operation }) =>
      `${comment(operation.summary, 1)}  ${nameOf(operation, path)}: {\n    input: ${inputOf(operation)}\n    answer: ${answerOf(method, operation)}\n  }\n`,
  )
  return `${HEADER}
/** Method and path of each operation, behind \`/api\`. */
export const OPERATIONS = {
${calls.join('')}} as const

/** What each operation takes and answers. */
export interface Operations {
${types.join('')}}
`
}

function nameOf(operation: Operation, path: string): string {
  if (!operation.operationId || !/^[a-z]\w*$/i.test(operation.operationId))
    throw new Error(`${path} has an operation without a usable operationId`)
  return operation.operationId
}

function inputOf(operation: Operation): string {
  const parts: string[] = []
  for (const place of ['path', 'query'] as const) {
    const parameters = (operation.parameters ?? []).filter((parameter) => parameter.in === place)
    if (parameters.length === 0) continue
    const isNeeded = parameters.some(({ required }) => required)
    const schema = {
      type: 'object',
      properties: Object.fromEntries(parameters.map(({ name, schema }) => [name, place === 'path' ? IN_PATH : schema])),
      required: parameters.filter(({ required }) => required).map(({ name }) => name),
    }
    parts.push(`      ${place}${isNeeded ? '' : '?'}: ${typeOf(schema, 3)}\n`)
  }
  const body = operation.requestBody
  if (body) {
    // A form is sent by hand, as its file is a stream; what stands beside the file is typed all the same.
    const types = Object.keys(body.content)
    const json = body.content['application/json']
    if (json) parts.push(`      body${body.required ? '' : '?'}: ${typeOf(json.schema, 3)}\n`)
    if (types.includes('multipart/form-data'))
      parts.push(`      form?: ${typeOf(body.content['multipart/form-data']!.schema, 3)}\n`)
    const stray = types.find((type) => type !== 'application/json' && type !== 'multipart/form-data')
    if (stray) throw new Error(`${operation.operationId} takes ${stray}, which the generator does not know`)
  }
  return parts.length === 0 ? 'Record<never, never>' : `{\n${parts.join('')}    }`
}

/** The one good answer; nothing for a DELETE that describes none, else what only a stream can be. */
function answerOf(method: string, operation: Operation): string {
  const good = Object.entries(operation.responses).filter(([status]) => status.startsWith('2'))
  const contents = good.flatMap(([, { content }]) => (content ? [content] : []))
  const json = contents.flatMap((content) => content['application/json'] ?? [])
  if (json.length > 1) throw new Error(`${operation.operationId} has more than one good answer`)
  if (json.length === 1) return typeOf(json[0]!.schema, 2)
  return method === 'delete' ? 'undefined' : 'Response'
}

function typeOf(schema: Schema, depth: number): string {
  const unknown = Object.keys(schema).find((keyword) => !UNDERSTOOD.has(keyword))
  if (unknown !== undefined) throw new Error(`the generator does not know the keyword ${unknown}`)
  if (Array.isArray(schema.enum)) return schema.enum.map(quoted).join(' | ')
  if (Array.isArray(schema.anyOf)) {
    const types = (schema.anyOf as Schema[]).map((part) => typeOf(part, depth))
    return [...new Set(types)].join(' | ')
  }
  switch (schema.type) {
    case 'string':
      return 'string'
    case 'integer':
    case 'number':
      return 'number'
    case 'boolean':
      return 'boolean'
    case 'null':
      return 'null'
    case 'array':
      return arrayOf(typeOf((schema.items ?? {}) as Schema, depth))
    case 'object':
      return objectOf(schema, depth)
    case undefined:
      return 'unknown'
    default:
      throw new Error(`the generator does not know the type ${String(schema.type)}`)
  }
}

function arrayOf(type: string): string {
  return /^[\w]+$/.test(type) ? `${type}[]` : `(${type})[]`
}

function objectOf(schema: Schema, depth: number): string {
  const properties = Object.entries((schema.properties ?? {}) as Record<string, Schema>)
  const required = new Set((schema.required ?? []) as string[])
  const rest = schema.additionalProperties
  const restType = typeof rest === 'object' ? typeOf(rest as Schema, depth + 1) : rest === true ? 'unknown' : undefined
  if (properties.length === 0) return `Record<string, ${restType ?? 'unknown'}>`
  const indent = '  '.repeat(depth + 1)
  const lines = properties.map(
    ([name, property]) =>
      `${comment(property.description as string | undefined, depth + 1)}${indent}${keyOf(name)}${required.has(name) ? '' : '?'}: ${typeOf(property, depth + 1)}\n`,
  )
  // What else there may be is of no kind that is known: its type must take in those of the named keys.
  if (restType !== undefined) lines.push(`${indent}[key: string]: unknown\n`)
  return `{\n${lines.join('')}${'  '.repeat(depth)}}`
}

function keyOf(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : quoted(name)
}

function quoted(value: unknown): string {
  return typeof value === 'string'
    ? `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
    : JSON.stringify(value)
}

function comment(text: string | undefined, depth: number): string {
  return text ? `${'  '.repeat(depth)}/** ${text.replaceAll('*/', '*∕').replaceAll('\n', ' ')} */\n` : ''
}
