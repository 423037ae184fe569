import { isFullIsoDate } from '../../lib/dates.ts'
import type { Test } from './parse.ts'

/**
 * The days, as YYYY-MM-DD, at whose beginning a test on a date may turn: of an anniversary those of the coming two years,
 * one of which it is. What has passed may be among them.
 */
export function turningDays({ op, values }: Test, day: string | null, now: Date): string[] {
  if (day === null || !isFullIsoDate(day)) return []
  const days = Number(values[0])
  switch (op) {
    case 'within_last':
      return written([shifted(day, 0), shifted(day, days + 1)])
    case 'older_than':
      return written([shifted(day, days + 1)])
    case 'within_next':
      return written([shifted(day, -days), shifted(day, 1)])
    case 'anniversary_within': {
      const first = Math.max(now.getUTCFullYear() - 1, Number(day.slice(0, 4)) + 1)
      const anniversaries = [0, 1, 2, 3].map((more) => inYear(day, first + more))
      return written(anniversaries.flatMap((one) => [shifted(one, -days), shifted(one, 1)]))
    }
    default:
      return []
  }
}

/** 29 February is kept on the 28th in a year without one. */
function inYear(day: string, year: number): string {
  const date = `${String(year).padStart(4, '0')}${day.slice(4)}`
  return isFullIsoDate(date) ? date : date.replace(/-29$/, '-28')
}

function shifted(day: string, days: number): string {
  const date = new Date(`${day}T00:00:00Z`)
  date.setUTCDate(date.getUTCDate() + days)
  return date.toISOString()
}

/** Those with a year of four digits, which PostgreSQL reads as we do. */
function written(moments: readonly string[]): string[] {
  return moments.filter((moment) => /^\d{4}-/.test(moment)).map((moment) => moment.slice(0, 10))
}
