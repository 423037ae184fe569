import type { FastifyInstance, FastifyRequest } from 'fastify'
import secureJson from 'secure-json-parse'
import { AppError, invalid } from '../lib/app-error.ts'
import { findUnstorable, isStorable } from '../lib/text.ts'
import { canonicalBody, noteAliases } from './aliases.ts'
import { guard } from './guard.ts'

/** Escapes that may stand for a NUL or a half of a surrogate pair: only a body with one needs to be walked. */
const SUSPECT = /\\u(?:0000|[dD][89a-fA-F])/

/** Deeper than any body means something, and far less deep than what a walk by recursion can bear. */
const DEEPEST = 100

/** How deep a JSON text, known to be correct, is nested. */
function depthOf(text: string): number {
  let [depth, deepest] = [0, 0]
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === '"') at = endOfString(text, at)
    else if (character === '[' || character === '{') deepest = Math.max(deepest, ++depth)
    else if (character === ']' || character === '}') depth--
  }
  return deepest
}

/** Where the string that begins at `start` has its closing quote. */
function endOfString(text: string, start: number): number {
  let at = start + 1
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at
}

/** Reads a JSON body; an empty one is none. Throws what is wrong with it, and where. */
function parseJson(text: string): unknown {
  if (text.trim() === '') return undefined
  let body: unknown
  try {
    body = secureJson.parse(text, { protoAction: 'error', constructorAction: 'error' })
  } catch (error) {
    const { message } = error as Error
    if (/forbidden prototype property/.test(message)) {
      throw new AppError(
        'bad_request',
        'The body has a key that is not allowed: __proto__, or constructor with a prototype: leave it out',
      )
    }
    throw new AppError(
      'bad_request',
      `The body is not valid JSON: ${message.replace(/, ?"[\s\S]*$/, '').slice(0, 120)}`,
    )
  }
  if (text.length > 2 * DEEPEST && depthOf(text) > DEEPEST) {
    throw new AppError('bad_request', `The body is nested too deep: at most ${DEEPEST} levels are taken`)
  }
  if (SUSPECT.test(text)) {
    const place = findUnstorable(body)
    if (place !== null)
      throw invalid({
        [place || 'base']: ['holds a character that text can not have (NUL, or half of a surrogate pair)'],
      })
  }
  return body
}

/**
 * Bodies are JSON also when sent as `text/plain`, which is what `fetch` names a string body that has no content type.
 * A JSON content type without a body, as some clients send with DELETE, is no body.
 */
export function installBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    ['application/json', 'text/plain'],
    { parseAs: 'buffer' },
    async (_request: FastifyRequest, bytes: Buffer) => {
      if (bytes.length === 0) return undefined
      return parseJson(decode(bytes))
    },
  )
  guard(app, {
    async preValidation(request) {
      const { body: form } = request.routeOptions.config
      if (request.body !== undefined) {
        noteAliases(request.raw, request.body, form ?? {})
        request.body = canonicalBody(request.body, form ?? {})
      }
      for (const [name, value] of Object.entries(request.query as Record<string, string | string[]>)) {
        const bad = !isStorable(name) || [value].flat().some((text) => !isStorable(text))
        if (bad)
          throw invalid({ [isStorable(name) ? name : 'base']: ['holds a character that text can not have (NUL)'] })
      }
    },
  })
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function decode(bytes: Buffer): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw new AppError('bad_request', 'The body is not valid UTF-8')
  }
}
