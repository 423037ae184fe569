import type { IncomingMessage } from 'node:http'
import { isObject } from '../lib/json.ts'

/**
 * Every spelling in which the API may be called, and the one form that the rest of the server knows. Routes are written
 * as `/api/contact_lists/…`; this file alone knows that they can be called otherwise.
 */
const SPELLINGS: readonly (readonly [RegExp, string])[] = [
  [/^\/api\/contacts\/lists(?=[/?]|$)/, '/api/contact_lists'],
  [/^\/api\/contacts\/fields(?=[/?]|$)/, '/api/contact_fields'],
  [/^\/api\/contacts\/imports(?=[/?]|$)/, '/api/contact_imports'],
  [/^\/api\/contacts\/exports(?=[/?]|$)/, '/api/contact_exports'],
]

/** `/api/accounts/ID`: the whole is the account itself, with more behind it whatever stands there. */
const ACCOUNT_PREFIX = /^\/api\/accounts\/([^/?]*)(?=[/?]|$)/

/** Keys of a body under another name: `data_type` is what the official API calls a field's kind. */
const BODY_KEYS: Readonly<Record<string, string>> = { data_type: 'type' }

/** Keys whose empty object some clients write as an empty array, as their language has one type for both. */
const OBJECT_KEYS = ['fields', 'params'] as const

/** How the aliases of a route's body are undone; given in the route's config. */
export interface BodyForm {
  /** The key in which the official API wraps the whole body. */
  wrapper?: 'contact'
  /** Whether BODY_KEYS apply. */
  renamed?: true
  /** Whether OBJECT_KEYS name lists here, which may be empty. */
  hasLists?: true
}

const accountSegments = new WeakMap<IncomingMessage, string>()
const callersWords = new WeakMap<IncomingMessage, ReadonlyMap<string, string>>()

/** The address of a request as the routes know it; remembers the account that stood in it for `accountSegment`. */
export function canonicalUrl(request: IncomingMessage): string {
  let url = request.url ?? '/'
  const account = ACCOUNT_PREFIX.exec(url)
  if (account) {
    accountSegments.set(request, account[1]!)
    const rest = url.slice(account[0].length)
    url = /^\/?(\?|$)/.test(rest) ? `/api/account${rest.replace(/^\//, '')}` : `/api${rest}`
  }
  const spelling = SPELLINGS.find(([pattern]) => pattern.test(url))
  return spelling ? url.replace(spelling[0], spelling[1]) : url
}

/** The account named in the path, as it was written there; undefined where the path names none. */
export function accountSegment(request: IncomingMessage): string | undefined {
  return accountSegments.get(request)
}

/** The token of a request: `Api-Token: T`, `Authorization: Bearer T`. */
export function tokenOf(headers: IncomingMessage['headers']): string | undefined {
  const own = headers['api-token']
  if (typeof own === 'string' && own !== '') return own
  return /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1]
}

/** Remembers by which aliases a request calls the keys of its body, for `callersWord`. */
export function noteAliases(request: IncomingMessage, body: unknown, form: BodyForm): void {
  if (!form.renamed || !isObject(body)) return
  const used = Object.entries(BODY_KEYS).filter(
    ([alias, key]) => Object.hasOwn(body, alias) && !Object.hasOwn(body, key),
  )
  callersWords.set(request, new Map(used.map(([alias, key]) => [key, alias])))
}

/** What the sender of a request calls this key: what is said about it must be found under that name. */
export function callersWord(request: IncomingMessage, key: string): string {
  return callersWords.get(request)?.get(key) ?? key
}

/** A body in the one form that the schemas describe. */
export function canonicalBody(body: unknown, form: BodyForm): unknown {
  if (!isObject(body)) return body
  const { wrapper } = form
  const wrapped = wrapper && Object.keys(body).length === 1 && isObject(body[wrapper])
  const inner = wrapped ? (body[wrapper] as Record<string, unknown>) : body
  for (const key of form.hasLists ? [] : OBJECT_KEYS) {
    const value = inner[key]
    if (Array.isArray(value) && value.length === 0) inner[key] = {}
  }
  if (form.renamed) {
    for (const [alias, key] of Object.entries(BODY_KEYS)) {
      if (Object.hasOwn(inner, alias) && !Object.hasOwn(inner, key)) {
        inner[key] = inner[alias]
        delete inner[alias]
      }
    }
  }
  return inner
}
