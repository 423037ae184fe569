import { Ajv, type ErrorObject, type Options } from 'ajv'
import addFormats from 'ajv-formats'
import fastJsonStringify from 'fast-json-stringify'
import type { FastifyError, FastifyInstance, FastifySchemaCompiler } from 'fastify'
import { type Messages, tell } from '../lib/app-error.ts'
import { isObject } from '../lib/json.ts'

/** At most so many violations are told: a body of a million wrong items would else answer with a million messages. */
const TOLD = 50

const NO_PARAMETERS = { type: 'object', properties: {}, additionalProperties: false }

const OPTIONS: Options = {
  useDefaults: false,
  removeAdditional: false,
  allErrors: true,
  strict: false,
  verbose: true,
}

/**
 * Compiles when first asked, and once a process what says the same: to compile all that routes take and answer takes 0.6 s
 * of the processor, of which a start needs nothing, and each further app of a process, as tests make, pays nothing.
 */
function once<Compiled>(compile: (schema: object) => Compiled): (schema: object) => () => Compiled {
  const known = new Map<string, Compiled>()
  return (schema) => {
    let compiled: Compiled | undefined
    return () => {
      if (compiled !== undefined) return compiled
      const text = JSON.stringify(schema)
      compiled = known.get(text) ?? compile(schema)
      known.set(text, compiled)
      return compiled
    }
  }
}

const bodyCheck = once((schema) => bodies.compile(schema))
const textCheck = once((schema) => texts.compile(schema))
const answerWriter = once((schema) => fastJsonStringify(schema))
const bodies = addFormats.default(new Ajv({ ...OPTIONS, coerceTypes: false }))
const texts = addFormats.default(new Ajv({ ...OPTIONS, coerceTypes: true }))

/** Paths and query strings carry only text, so there "41" may become 41; a JSON body means what it says. */
export function installValidation(app: FastifyInstance): void {
  // A route that names no parameters takes none: a typing error should not be passed over in silence.
  app.addHook('onRoute', (route) => {
    if (route.url.startsWith('/api')) route.schema = { querystring: NO_PARAMETERS, ...route.schema }
  })
  app.setValidatorCompiler(({ schema, httpPart }) => {
    const check = (httpPart === 'body' ? bodyCheck : textCheck)(schema)
    // Fastify reads the findings from the function that it has called.
    const validate: ReturnType<FastifySchemaCompiler<unknown>> = (data) => {
      const isValid = check()(data)
      validate.errors = check().errors ?? null
      return isValid
    }
    return validate
  })
  app.setSerializerCompiler(({ schema }) => {
    const writer = answerWriter(schema)
    return (answer) => writer()(answer)
  })
}

/** Ajv's findings in the words of the official service, each under the name of the attribute it is about. */
export function messagesFrom(error: FastifyError): Messages {
  const messages: Messages = {}
  const findings = ofOneKind(error.validation as unknown as ErrorObject[]).filter((finding) => !isOfUnion(finding))
  for (const finding of findings.slice(0, TOLD)) {
    const [place, message] = told(finding)
    const isExplained = finding.keyword === 'anyOf' && Object.keys(messages).some((known) => known.startsWith(place))
    if (!isExplained) tell(messages, place || 'base', message)
  }
  return messages
}

interface Branch {
  properties?: { type?: { const?: string } }
}

/**
 * Where a `type` says which of several objects one is, what speaks against the others is of no use: what is left is what
 * is wrong with the one that was meant, or else which types there are.
 */
function ofOneKind(findings: ErrorObject[]): ErrorObject[] {
  let left = findings
  for (const union of findings.filter(({ keyword }) => keyword === 'anyOf')) {
    const { data, schemaPath, instancePath } = union
    const types = (union.schema as Branch[]).map(({ properties }) => properties?.type?.const)
    if (!isObject(data) || types.some((type) => type === undefined)) continue
    const meant = `${schemaPath}/${types.indexOf(data.type as string)}/`
    const isOfOthers = (finding: ErrorObject) =>
      finding.schemaPath.startsWith(`${schemaPath}/`) && !finding.schemaPath.startsWith(meant)
    const whichThereAre = {
      ...union,
      instancePath: `${instancePath}/type`,
      keyword: 'enum',
      params: { allowedValues: types },
    }
    left = left.flatMap((finding) => {
      if (finding === union) return types.includes(data.type as string) ? [] : [whichThereAre]
      return isOfOthers(finding) ? [] : [finding]
    })
  }
  return left
}

/** Of `null` for a text or nothing: that it is no text, and that it is not nothing. What is allowed is said once, for both. */
function isOfUnion({ keyword, schemaPath }: ErrorObject): boolean {
  return keyword === 'type' && /\/anyOf\/\d+\/type$/.test(schemaPath)
}

function told(finding: ErrorObject): [place: string, message: string] {
  const { keyword, params } = finding
  const at = finding.instancePath.slice(1).replaceAll('/', '.')
  const below = (key: string) => (at === '' ? key : `${at}.${key}`)
  switch (keyword) {
    case 'required':
      return [below(params.missingProperty), "can't be blank"]
    case 'additionalProperties': {
      const allowed = Object.keys((finding.parentSchema as { properties?: object }).properties ?? {})
      return [below(params.additionalProperty), `is not a known key: there are ${allowed.join(', ') || 'none'}`]
    }
    case 'type':
      return [at, at === '' && finding.data == null ? 'needs a JSON body' : `must be ${article(params.type)}`]
    case 'anyOf':
      return [at, `must be ${article((finding.schema as { type: string }[]).map(({ type }) => type))}`]
    case 'maxProperties':
      return [at, `has too many keys (maximum is ${params.limit})`]
    case 'enum':
      return [at, `is not included in the list: ${params.allowedValues.join(', ')}`]
    case 'maxLength':
      return [at, `is too long (maximum is ${params.limit} characters)`]
    case 'minLength':
      return [at, params.limit === 1 ? "can't be blank" : `is too short (minimum is ${params.limit} characters)`]
    case 'maxItems':
      return [at, `has too many items (maximum is ${params.limit})`]
    case 'minItems':
      return [at, params.limit === 1 ? "can't be empty" : `has too few items (minimum is ${params.limit})`]
    case 'minimum':
      return [at, `must be at least ${params.limit}`]
    case 'maximum':
      return [at, `must be at most ${params.limit}`]
    default:
      return [at, finding.message ?? 'is invalid']
  }
}

function article(type: string | string[]): string {
  const words = [...new Set([type].flat())].map((name) =>
    /^[aeio]/.test(name) ? `an ${name}` : name === 'null' ? name : `a ${name}`,
  )
  return words.join(' or ')
}
