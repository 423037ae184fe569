import { InvalidArgumentError } from 'commander'

/** A whole number above 0. */
export function positive(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError('It must be a whole number above 0.')
  return Number(text)
}

/** `Date` takes the 30th of February for a day in March. */
function isOnCalendar(text: string): boolean {
  const [day] = /^\d{4}-\d{2}-\d{2}/.exec(text) ?? []
  const read = new Date(`${day}T00:00:00Z`)
  return !Number.isNaN(read.getTime()) && read.toISOString().startsWith(`${day}T`)
}

/** A moment to come: a date or time in ISO 8601, or so many days from now, such as 90d. */
export function expiry(text: string): Date {
  const days = /^([1-9]\d{0,4})d$/.exec(text)
  const moment = days
    ? new Date(Date.now() + Number(days[1]) * 86_400_000)
    : new Date(isOnCalendar(text) ? text : Number.NaN)
  if (Number.isNaN(moment.getTime()))
    throw new InvalidArgumentError('It must be a date such as 2030-12-31, or days such as 90d.')
  if (moment.getTime() <= Date.now()) throw new InvalidArgumentError('It must lie in the future.')
  return moment
}
