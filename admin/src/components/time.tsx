import { Tooltip } from '@mantine/core'
import classes from './time.module.css'

const exact = new Intl.DateTimeFormat('en', { dateStyle: 'full', timeStyle: 'long' })
const day = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short', year: 'numeric' })
const clock = new Intl.DateTimeFormat('en', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['second', 60],
  ['minute', 60],
  ['hour', 24],
  ['day', 7],
]

/** `3 hours ago` within a week, else the day; `now` is in ms since the epoch. */
export function briefly(at: Date, now = Date.now()): string {
  let distance = (at.getTime() - now) / 1000
  for (const [unit, many] of STEPS) {
    if (Math.abs(distance) < many) return relative.format(Math.round(distance), unit)
    distance /= many
  }
  return day.format(at)
}

/** A moment in the viewer's zone, with the exact time under the pointer or the focus. Takes ms since the epoch or ISO 8601. */
export function Time({ at, withClock = false }: { at: number | string; withClock?: boolean }) {
  const date = new Date(at)
  const text = withClock ? `${day.format(date)}, ${clock.format(date)}` : briefly(date)
  return (
    <Tooltip label={exact.format(date)}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the exact time must be had without a pointer, too */}
      <time dateTime={date.toISOString()} tabIndex={0} className={classes.time}>
        {text}
      </time>
    </Tooltip>
  )
}
