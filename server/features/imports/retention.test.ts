import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { testApp } from '../../test/app.ts'
import { imported } from '../../test/imports.ts'
import { removeOldUploads } from './retention.ts'

test('the file of a trial goes when its time is over, with all that waits of it; until then it can be applied', async (t) => {
  const made = await testApp(t)
  const file = 'email\nann@example.com\nbob@example.com\n'
  const early = await imported(made, file, { dry_run: 'true' })
  const late = await imported(made, file, { dry_run: 'true' })
  const keyOf = async (id: number) =>
    (await made.db.query<{ file_key: string | null }>(sql`select file_key from imports where id = ${id}`))[0]!.file_key
  const key = (await keyOf(late.id))!
  await removeOldUploads(made.db, made.files)
  assert.notEqual(await made.files.size(key), null, 'it is kept for days')
  await made.db.query(sql`update imports set keep_file_until = now() - interval '1 second' where id = ${late.id}`)

  await removeOldUploads(made.db, made.files)

  assert.deepEqual([await keyOf(late.id), await made.files.size(key)], [null, null])
  const waiting = await made.db.query<{ import_id: number }>(sql`select distinct import_id from import_rows`)
  assert.deepEqual(waiting, [{ import_id: early.id }])
  const refused = await made.post(`/api/contact_imports/${late.id}/apply`)
  assert.equal(refused.status, 409)
  assert.match(refused.body.errors, /upload it again/)
  assert.equal((await made.post(`/api/contact_imports/${early.id}/apply`)).status, 200)
  await made.runJobs()
  const applied = (await made.get(`/api/contact_imports/${early.id}`)).body
  assert.deepEqual([applied.phase, applied.created_contacts_count, applied.file.kept], ['finished', 2, false])
})
