import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'
import { keyring, testApp } from '../../test/app.ts'
import { countsOf, took } from '../../test/imports.ts'
import { planChunk } from './dry-run.ts'
import { findImport } from './imports.ts'
import { termsOf } from './terms.ts'

const PEOPLE = 400

test('a trial looks once for each person whether they have left the list that all are to join', async (t) => {
  const made = await testApp(t)
  const list = (await made.post('/api/contact_lists', { name: 'Newsletter' })).body.id
  const rows = Array.from({ length: PEOPLE }, (_, n) => `p${n}@example.com`)
  const tried = await took(made, `email\n${rows.join('\n')}\n`, { list_id: String(list), dry_run: 'true' })
  assert.deepEqual(countsOf(tried), { rows_read: PEOPLE, created: PEOPLE })
  const row = await findImport(made.db, made.accountId, tried.id)

  const [counts, looks] = await made.db.transaction(async (trx) => {
    trx.send(sql`delete from change_rows where account_id = ${made.accountId} and change_set_id = ${tried.id}`)
    const terms = await termsOf(trx, row, keyring)
    const before = await looksAtOptOuts(trx)
    const counts = await planChunk(trx, terms, {
      after: '',
      upTo: '~',
      people: PEOPLE,
      isPlain: false,
    })
    return [counts, (await looksAtOptOuts(trx)) - before] as const
  })

  assert.equal(counts.created, PEOPLE)
  assert.ok(looks >= PEOPLE, `${looks} looks: they are not counted here`)
  assert.ok(looks <= PEOPLE + 10, `${looks} looks for ${PEOPLE} people`)
})

async function looksAtOptOuts(trx: Trx): Promise<number> {
  const [read] = await trx.query<{ looks: number }>(
    sql`select coalesce(seq_scan, 0) + coalesce(idx_scan, 0) as looks from pg_stat_xact_user_tables where relname = 'list_opt_outs'`,
  )
  return read!.looks
}
