import multipart from '@fastify/multipart'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'
import type { Database } from '../../db/database.ts'
import type { Change } from '../../http/change.ts'
import { collection, Nullable, PageOf, PagingQuery, pageOf } from '../../http/paging.ts'
import { AppError, invalid, tell } from '../../lib/app-error.ts'
import { normaliseEmail } from '../../lib/email.ts'
import { pathId } from '../../lib/ids.ts'
import { type Entry, readEntry } from './suppression-entry.ts'
import { MOST_BYTES, readSuppressionFile, type SuppressionFile } from './suppression-file.ts'
import { addSuppressions, deleteSuppression, listSuppressions } from './suppression-list.ts'

interface Options {
  db: Database
  change: Change
}

const tags = ['Permission']
const MOST_BY_HAND = 10_000

/** What removals and erasures leave has reasons of its own, which nobody gives by hand. */
const Reason = Type.String({
  pattern: '^(?!withdrawn$|erased$)[a-z][a-z0-9_]{0,39}$',
  description: 'Small letters, digits and underscores, such as complaint; manual unless given.',
})
const Terms = {
  reason: Type.Optional(Reason),
  expires_at: Type.Optional(Type.String({ format: 'date-time', description: 'Until then; for good unless given.' })),
}
const ByHand = Type.Object(
  {
    entries: Type.Array(Type.String(), {
      minItems: 1,
      maxItems: MOST_BY_HAND,
      description: 'Addresses, their SHA-256, domains, or *.domain for all below it.',
    }),
    ...Terms,
  },
  { additionalProperties: false },
)
const ByFile = Type.Object({ file: Type.Unsafe<unknown>({ type: 'string', format: 'binary' }), ...Terms })

const Suppression = Type.Object({
  id: Type.Integer(),
  kind: Type.Enum(['address', 'sha256', 'domain']),
  value: Type.String(),
  reason: Type.String(),
  source: Type.String(),
  created_at: Type.String(),
  expires_at: Nullable(Type.String()),
})
const Added = Type.Object({
  added: Type.Integer(),
  known: Type.Integer({ description: 'That were there already.' }),
  rejected: Type.Integer({ description: 'Lines of a file that are no entries.' }),
  errors: Type.Array(Type.Object({ line: Type.Integer(), message: Type.String() })),
})

export const suppressionRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { db, change }) => {
  await app.register(multipart, { throwFileSizeLimit: true })

  app.get(
    '/api/suppressions',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'listSuppressions',
        summary: 'Addresses and domains that may not be mailed, the latest first',
        querystring: Type.Object(
          {
            page: PagingQuery.page,
            per_page: PagingQuery.per_page,
            kind: Type.Optional(Type.Enum(['address', 'sha256', 'domain'])),
            reason: Type.Optional(Type.String({ maxLength: 40 })),
            email: Type.Optional(Type.String({ description: 'Only what forbids mail to this address.' })),
          },
          { additionalProperties: false },
        ),
        response: { 200: PageOf(Suppression) },
      },
    },
    async (request) => {
      const { kind, reason, email } = request.query
      const page = pageOf(request.query)
      const asked = { kind, reason, email: email === undefined ? undefined : addressOf(email) }
      const { rows, total } = await listSuppressions(db, request.caller.accountId, {
        ...asked,
        limit: page.perPage,
        offset: page.offset,
      })
      const shown = rows.map(({ at, expires_at, ...row }) => ({
        ...row,
        created_at: at.toISOString(),
        expires_at: expires_at?.toISOString() ?? null,
      }))
      return collection(shown, page, total, null)
    },
  )

  app.post(
    '/api/suppressions',
    {
      config: { scope: 'write' },
      schema: {
        tags,
        operationId: 'addSuppressions',
        summary: 'Forbid mail to addresses and domains, by hand or by a file',
        description: `By hand as JSON, all or none of them; or as a form with a \`file\` of one entry a line, of which what is none is told and passed over.`,
        body: {
          content: { 'application/json': { schema: ByHand }, 'multipart/form-data': { schema: ByFile } },
        } as never,
        response: { 200: Added },
      },
      validatorCompiler: () => () => true, // a form is no JSON: both are checked by hand
    },
    async (request, reply) => {
      const isFile = request.isMultipart()
      const { read, terms } = isFile ? await receive(request) : byHand(request.body)
      const { reason = 'manual', expires_at } = terms
      const expiresAt = expires_at === undefined ? null : new Date(expires_at)
      // What makes this request the same as another: what is in the form, not its boundary, which differs each time.
      if (isFile) request.body = { sha256: read.sha256, ...terms }
      return change(request, reply, async (trx) => {
        const source = isFile ? 'file' : 'api'
        const counts = await addSuppressions(trx, request.caller, read.entries, { reason, source, expiresAt })
        return { status: 200, body: { ...counts, rejected: read.rejected, errors: read.errors } }
      })
    },
  )

  app.delete(
    '/api/suppressions/:id',
    {
      config: { scope: 'write' },
      schema: {
        tags,
        operationId: 'deleteSuppression',
        summary: 'Take a suppression away; who has left by their own act stays as they are',
        params: Type.Object({ id: Type.String() }),
      },
    },
    (request, reply) =>
      change(request, reply, async (trx) => {
        await deleteSuppression(trx, request.caller, pathId(request.params.id))
        return { status: 204 }
      }),
  )
}

type TermsGiven = Pick<Static<typeof ByHand>, 'reason' | 'expires_at'>

interface Given {
  read: SuppressionFile
  terms: TermsGiven
}

/** Throws `invalid` that names each entry that is none. */
function byHand(body: unknown): Given {
  if (!Value.Check(ByHand, body)) {
    const entries = (body as { entries?: unknown } | null)?.entries
    if (!Array.isArray(entries) || entries.length === 0 || entries.length > MOST_BY_HAND)
      throw invalid({ entries: [`must be a list of 1 to ${MOST_BY_HAND} texts`] })
    const at = entries.findIndex((entry) => typeof entry !== 'string')
    if (at >= 0) throw invalid({ [`entries.${at}`]: ['must be a text'] })
    const { entries: _, ...others } = body as Record<string, unknown>
    checkTerms(others)
    throw invalid({ base: ['takes entries, reason and expires_at alone'] })
  }
  const { entries: written, ...terms } = body
  checkTerms(terms)
  const faults = {}
  const entries: Entry[] = []
  for (const [at, text] of written.entries()) {
    const entry = readEntry(text)
    if (typeof entry === 'string') tell(faults, `entries.${at}`, entry)
    else entries.push(entry)
  }
  if (Object.keys(faults).length > 0) throw invalid(faults)
  return { read: { entries, rejected: 0, errors: [], sha256: '' }, terms }
}

/** Throws `invalid`. */
function checkTerms({ reason, expires_at }: { reason?: unknown; expires_at?: unknown }): void {
  if (reason !== undefined && !Value.Check(Reason, reason))
    throw invalid({ reason: ['must be of small letters, digits and underscores, and neither withdrawn nor erased'] })
  if (expires_at === undefined) return
  const isMoment = typeof expires_at === 'string' && /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/.test(expires_at)
  if (!isMoment || !(Date.parse(expires_at) > Date.now()))
    throw invalid({ expires_at: ['must be a moment to come, such as 2030-12-31T00:00:00Z'] })
}

/** Throws `invalid`, and too_large. */
async function receive(request: FastifyRequest): Promise<Given> {
  const terms: Record<string, string> = {}
  let read: SuppressionFile | undefined
  const limits = { files: 1, parts: 10, fieldSize: 1000, fileSize: MOST_BYTES }
  for await (const part of request.parts({ limits })) {
    if (part.type === 'file') {
      read = await readSuppressionFile(part.file)
      if (part.file.truncated)
        throw new AppError('too_large', `The file is too large: at most ${MOST_BYTES} bytes are taken`)
    } else if (part.fieldname === 'reason' || part.fieldname === 'expires_at')
      terms[part.fieldname] = String(part.value)
    else throw invalid({ [part.fieldname]: ['is not known: there are file, reason and expires_at'] })
  }
  if (!read) throw invalid({ file: ["can't be blank: send it as the part `file` of the form"] })
  checkTerms(terms)
  return { read, terms }
}

function addressOf(text: string): string {
  const read = normaliseEmail(text)
  if (!read.ok) throw invalid({ email: read.problem })
  return read.email
}
