import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import sql from 'sql-template-tag'
import { buildApp } from '../../app.ts'
import { readConfig } from '../../config.ts'
import { Queue } from '../../jobs/queue.ts'
import { caller, keyring, type TestApp, testApp } from '../../test/app.ts'
import { atEnd } from '../../test/database.ts'
import { runJobs, takeJobs } from '../../test/jobs.ts'
import { restoreUsedJob } from './options.ts'

const JOB = 'fields.restore-options'

interface Payload {
  accountId: number
  fieldId: number
  options: string[]
}

/** A field `plan`, and another process on the same database that knows it already, with a cache of its own. */
async function twoProcesses(t: Parameters<typeof testApp>[0]) {
  const here = await testApp(t)
  const { id } = (
    await here.post('/api/contact_fields', { name: 'Plan', type: 'select', options: ['Free', 'Pro', 'Team'] })
  ).body
  const queue = new Queue(here.db, { role: 'api', onError: () => {} })
  const app = await buildApp({
    db: here.db,
    queue,
    config: readConfig({ RATE_LIMIT: '0' }),
    files: here.files,
    filesAt: here.filesAt,
    keyring,
    logger: pino({ level: 'silent' }),
    isReady: async () => true,
    isPrepared: () => true,
  })
  atEnd(t, () => queue.stop(0))
  atEnd(t, () => app.close())
  const there = caller(app, here.token)
  await there('POST', '/api/contacts', { email: 'first@example.com', fields: { plan: 'free' } })
  return { here, there, url: `/api/contact_fields/${id}` }
}

const optionsOf = async ({ get }: TestApp, url: string) => (await get(url)).body.options

test('an option that another process stores while it is being removed comes back, one that nobody stores does not', async (t) => {
  const { here, there, url } = await twoProcesses(t)

  assert.equal((await here.patch(url, { options: ['Free'] })).status, 200)
  const stored = await there('POST', '/api/contacts', { email: 'ann@example.com', fields: { plan: 'pro' } })
  assert.deepEqual([stored.status, stored.body.data.fields.plan], [201, 'Pro'], 'that process does not know yet')
  assert.deepEqual(await optionsOf(here, url), ['Free'])
  const [job] = await here.db.query<{ seconds: number }>(sql`
    select extract(epoch from start_after - created_on)::float8 as seconds from pgboss.job where name = ${JOB}`)
  assert.ok(job!.seconds >= 7 && job!.seconds < 8.5, `it waits until no process can know the option: ${job!.seconds} s`)
  await runJobs(here.db)

  assert.deepEqual(await optionsOf(here, url), ['Free', 'Pro'])
  assert.equal((await here.get('/api/contacts?plan=pro')).body.total, 1)
  const refused = await here.patch(url, { options: ['Free'] })
  assert.deepEqual([refused.status, refused.body.errors.options], [422, ["can't lose Pro: 1 contact has it"]])
})

test('what has become of the field meanwhile counts: defined again, of another kind, or gone', async (t) => {
  const { here, there, url } = await twoProcesses(t)
  const { db, patch, post, del } = here
  const job = restoreUsedJob(db)
  const run = async () => {
    for (const payload of await takeJobs<Payload>(db, JOB)) await job.run(payload, AbortSignal.timeout(60_000))
  }
  await patch(url, { options: ['Free', 'Team'] })
  await there('POST', '/api/contacts', { email: 'ann@example.com', fields: { plan: 'Pro' } })

  await patch(url, { options: ['Team', 'Free', 'Pro'] })
  await run()
  assert.deepEqual(await optionsOf(here, url), ['Team', 'Free', 'Pro'], 'not twice')

  await patch(url, { options: ['Free', 'Pro'] })
  await there('PATCH', '/api/contacts/ann@example.com', { fields: { plan: 'Team' } })
  await post(`${url}/convert`, { type: 'text' })
  await run()
  assert.equal(await optionsOf(here, url), null, 'a text has no options')

  await runJobs(db)
  await post(`${url}/convert`, { type: 'select' })
  await runJobs(db)
  assert.deepEqual(await optionsOf(here, url), ['Free', 'Team'])
  await patch('/api/contacts/ann@example.com', { fields: { plan: 'Free' } })
  await patch(url, { options: ['Free'] })
  await del(url)
  await run()
  assert.equal((await here.get(url)).status, 404)
})
