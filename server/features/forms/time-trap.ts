import { timingSafeEqual } from 'node:crypto'
import { hmac, hmacAll, type Keyring } from '../../lib/secret.ts'

const PURPOSE = 'form time'

/** Nobody reads and fills a form in less. */
const SHORTEST_S = 2
const LONGEST_S = 24 * 3600

/** Says when a form was shown, so that nobody can say otherwise. */
export function timeToken(keyring: Keyring, form: string, at: Date): string {
  const seconds = Math.floor(at.getTime() / 1000)
  return `${seconds}.${hmac(keyring, PURPOSE, `${form} ${seconds}`).value}`
}

/** Whether a form was shown, by us, long enough ago for a person to have filled it, and not longer than a day. */
export function wasShown(keyring: Keyring, form: string, token: string, now: Date): boolean {
  const [, seconds, value] = /^(\d{1,12})\.([0-9a-f]{64})$/.exec(token) ?? []
  if (seconds === undefined) return false
  const given = Buffer.from(value!)
  const isOurs = hmacAll(keyring, PURPOSE, `${form} ${seconds}`).some((mark) =>
    timingSafeEqual(Buffer.from(mark.value), given),
  )
  const ageS = now.getTime() / 1000 - Number(seconds)
  return isOurs && ageS >= SHORTEST_S && ageS <= LONGEST_S
}

/** For a page that only asks once more: it is read in half the time. */
export function secondTimeToken(keyring: Keyring, form: string, now: Date): string {
  return timeToken(keyring, form, new Date(now.getTime() - (SHORTEST_S * 1000) / 2))
}
