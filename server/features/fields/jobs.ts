import type { Database } from '../../db/database.ts'
import type { Job } from '../../jobs/queue.ts'
import { convertValues, convertValuesJob } from './convert.ts'
import { restoreUsed, restoreUsedJob } from './options.ts'
import { sweepRemovedField, sweepRemovedFieldJob } from './removal.ts'

export const FIELD_JOB_NAMES = [sweepRemovedField, convertValues, restoreUsed]

export const fieldJobs = (db: Database): Job[] =>
  [sweepRemovedFieldJob(db), convertValuesJob(db), restoreUsedJob(db)] as Job[]
