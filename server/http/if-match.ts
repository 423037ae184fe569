import type { FastifyRequest } from 'fastify'
import { invalid } from '../lib/app-error.ts'

/** Whether what is there now, undefined for nothing, is what a request wants to find. */
export type Expected = (version: string | undefined) => boolean

/** One tag; a proxy that packs answers may have put `W/` before it. */
const TAG = String.raw`(?:W/)?"[\x21\x23-\x7e]*"`
const HEADER = new RegExp(String.raw`^\s*(?:\*|${TAG}(?:\s*,\s*${TAG})*)\s*$`)

/** The header as the reference tells it. */
export const IF_MATCH = 'Only if it is still at this `version`, in quotes, as `ETag` has it; else 412.'

/**
 * What the header `If-Match` of a request expects; undefined without one. A tag names what something is, not the bytes of
 * an answer, so one that was made weak on its way counts as well. Throws `invalid`.
 */
export function expectedBy(request: FastifyRequest): Expected | undefined {
  const header = request.headers['if-match']
  if (header === undefined) return undefined
  if (!HEADER.test(header)) throw invalid({ 'If-Match': ['must be a version in quotes, as ETag has it, or *'] })
  if (header.trim() === '*') return (version) => version !== undefined
  const tags = header.match(/"[^"]*"/g)!
  return (version) => version !== undefined && tags.includes(`"${version}"`)
}
