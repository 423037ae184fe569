import type { Database } from '../../db/database.ts'
import type { Job } from '../../jobs/queue.ts'
import { convertValuesJob } from './convert.ts'
import { restoreUsedJob } from './options.ts'
import { sweepRemovedFieldJob } from './removal.ts'

export const fieldJobs = (db: Database): Job[] =>
  [sweepRemovedFieldJob(db), convertValuesJob(db), restoreUsedJob(db)] as Job[]
