import { Type } from 'typebox'
import type { JobName } from '../../jobs/queue.ts'

const Payload = Type.Object({ accountId: Type.Integer(), erasureId: Type.String() })

/** Looks through files and kept answers for a person who was erased: for three days, whatever fails. */
export const sweepErasure: JobName<typeof Payload> = {
  name: 'privacy.sweep',
  payload: Payload,
  attempts: 1000,
  timeoutS: 3600,
}

export const PRIVACY_JOB_NAMES = [sweepErasure]
