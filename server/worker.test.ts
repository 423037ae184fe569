import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testApp } from './test/app.ts'
import { keyring } from './test/jobs.ts'
import { ALL_JOB_NAMES, allJobs } from './worker.ts'

test('the queue is prepared for every job that a worker runs, and for no other', async (t) => {
  const { db, files, filesAt, queue, config } = await testApp(t)

  const jobs = allJobs({ db, files, filesAt, queue, keyring, config })

  const named = (list: readonly { name: string; attempts: number; timeoutS: number }[]) =>
    list
      .map(({ name, attempts, timeoutS }) => ({ name, attempts, timeoutS }))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  assert.deepEqual(named(ALL_JOB_NAMES), named(jobs))
})
