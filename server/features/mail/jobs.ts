import { Type } from 'typebox'
import type { JobName } from '../../jobs/queue.ts'

export const SendPayload = Type.Object({ accountId: Type.Integer(), messageId: Type.String() })

/** Tries in all. The queue waits up to five minutes between two, so that a server may be away for about four hours. */
export const MOST_ATTEMPTS = 55

export const sendMail: JobName<typeof SendPayload> = {
  name: 'mail.send',
  payload: SendPayload,
  attempts: MOST_ATTEMPTS,
  timeoutS: 600,
}

export const MAIL_JOB_NAMES = [sendMail]
