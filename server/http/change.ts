import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import sql from 'sql-template-tag'
import type { Database, Trx } from '../db/database.ts'
import { AppError, type ErrorCode, invalid } from '../lib/app-error.ts'
import { type Keyring, openSealed, seal } from '../lib/secret.ts'
import { answerFor } from './errors.ts'

export interface Answer {
  status: number
  body?: unknown
}

/** Answers a request that changes something, with what `work` did in one transaction. */
export type Change = (
  request: FastifyRequest,
  reply: FastifyReply,
  work: (trx: Trx) => Promise<Answer>,
  headersOf?: HeadersOf,
) => Promise<void>

/** The headers that go with the body of a success, told from it alone: of an answer that is given again, nothing else is kept. */
// biome-ignore lint/suspicious/noExplicitAny: each route knows what its own answers hold
export type HeadersOf = (body: any) => Record<string, string>

/**
 * Runs changes in one transaction each. With an `Idempotency-Key` the key's row is inserted first in that same
 * transaction: a second request with the key waits there for the first, and then gets its answer again. An answer of
 * 4xx is kept too; one of 5xx is not, as its transaction is gone, and neither is a 429, which asks to come again.
 */
export function changesIn(db: Database, keyring: Keyring): Change {
  const answer = async (
    request: FastifyRequest,
    reply: FastifyReply,
    work: (trx: Trx) => Promise<Answer>,
    headersOf?: HeadersOf,
  ) => {
    const key = request.headers['idempotency-key']
    if (key === undefined) {
      const { status, body } = await db.transaction(work)
      if (headersOf) reply.headers(headersOf(body))
      return reply.code(status).send(body)
    }
    if (typeof key !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(key)) {
      throw invalid({ 'Idempotency-Key': ['must have 1 to 255 visible ASCII characters'] })
    }
    const { accountId } = request.caller
    const fingerprint = fingerprintOf(request)
    const { status, text, replayed } = await db.transaction(async (trx) => {
      const earlier = await claim(trx, accountId, key, fingerprint)
      if (earlier) {
        if (!earlier.fingerprint.equals(fingerprint)) {
          throw invalid({ 'Idempotency-Key': ['was already used for another request: use a new key for each'] })
        }
        return { status: earlier.status, text: openSealed(keyring, 'idempotency', earlier.answer), replayed: true }
      }
      const answer = await attempt(request, trx, work)
      const text = answer.body === undefined ? '' : String(reply.code(answer.status).serialize(answer.body))
      trx.send(sql`
        update idempotency_keys set status = ${answer.status}, answer = ${seal(keyring, 'idempotency', text)}
        where account_id = ${accountId} and key = ${key}`)
      return { status: answer.status, text, replayed: false }
    })
    if (replayed) reply.header('idempotent-replayed', 'true')
    if (headersOf && status < 300) reply.headers(headersOf(JSON.parse(text)))
    reply.code(status)
    return text === '' ? reply.send() : reply.type('application/json; charset=utf-8').serializer(String).send(text)
  }
  // Fastify must be handed the reply, which the types of a handler with response schemas have no word for.
  return answer as unknown as Change
}

/** Failures of the moment: whoever comes again with the same key is to be heard anew. */
const ASKS_AGAIN: ReadonlySet<ErrorCode> = new Set(['unavailable', 'rate_limited'])

/** The work's answer; a 4xx undoes the work alone, so that the key's row can keep the answer. */
async function attempt(request: FastifyRequest, trx: Trx, work: (trx: Trx) => Promise<Answer>): Promise<Answer> {
  trx.send('savepoint work')
  try {
    const answer = await work(trx)
    await trx.settle()
    return answer
  } catch (error) {
    if (!(error instanceof AppError) || ASKS_AGAIN.has(error.code)) throw error
    await trx.undoTo('work')
    return answerFor(error, request)
  }
}

interface KeptAnswer {
  fingerprint: Buffer
  status: number
  answer: Buffer
}

/** Takes the key for this request; else waits for whoever has it, and answers what that one was told. */
async function claim(trx: Trx, accountId: number, key: string, fingerprint: Buffer): Promise<KeptAnswer | undefined> {
  const [claimed] = await trx.query(sql`
    insert into idempotency_keys (account_id, key, fingerprint) values (${accountId}, ${key}, ${fingerprint})
    on conflict do nothing returning key`)
  if (claimed) return undefined
  const [kept] = await trx.query<KeptAnswer>(sql`
    select fingerprint, status, answer from idempotency_keys where account_id = ${accountId} and key = ${key}`)
  return kept
}

/** Which request a key was used for: account, method, path as the routes know it, body, and the condition, if any. */
function fingerprintOf(request: FastifyRequest): Buffer {
  const { caller, method, url, body, headers } = request
  const condition = headers['if-match'] === undefined ? [] : [headers['if-match']]
  return createHash('sha256')
    .update(JSON.stringify([caller.accountId, method, url, body ?? null, ...condition]))
    .digest()
}
