import type { IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Queryable } from '../../db/database.ts'
import { AT_WORK, findImport } from './imports.ts'
import { importOnWire } from './wire.ts'

const EVERY_MS = 500
/** A connection on which nothing moves is taken for dead by what stands in between. */
const SIGN_OF_LIFE_MS = 15_000

/** An import's state as server-sent events, each time it has changed, until no worker is at it any more. */
export async function* streamProgress(
  db: Queryable,
  accountId: number,
  id: number,
  request: IncomingMessage,
): AsyncGenerator<string> {
  let last = ''
  let saidAt = Date.now()
  while (!request.destroyed) {
    const row = await findImport(db, accountId, id)
    const text = JSON.stringify(importOnWire(row))
    if (text !== last) {
      yield `event: progress\ndata: ${text}\n\n`
      last = text
      saidAt = Date.now()
    } else if (Date.now() - saidAt > SIGN_OF_LIFE_MS) {
      yield ': still here\n\n'
      saidAt = Date.now()
    }
    if (!AT_WORK.includes(row.phase) && row.phase !== 'reverting') return
    await sleep(EVERY_MS)
  }
}
