import { shownValue } from '../contacts/shown-value.ts'
import * as en from '../strings/en.ts'
import classes from './changes.module.css'

interface Line {
  name: string
  from?: unknown
  to?: unknown
  /** Where there is no before and after. */
  value?: unknown
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What an event's data says has changed, one line for each value: nested objects by the way to them. */
export function linesOf(data: Record<string, unknown>, prefix = ''): Line[] {
  return Object.entries(data).flatMap(([key, value]): Line[] => {
    const name = prefix === '' || prefix === 'fields' || prefix === 'params' ? key : `${prefix} ${key}`
    if (isObject(value) && ('from' in value || 'to' in value))
      return [{ name, from: value.from ?? null, to: value.to ?? null }]
    if (isObject(value)) return linesOf(value, key)
    if (value === null || value === undefined || (Array.isArray(value) && value.length === 0)) return []
    return [{ name, value }]
  })
}

const shown = (value: unknown) =>
  (Array.isArray(value)
    ? value.map(shownValue).join(', ')
    : isObject(value)
      ? JSON.stringify(value)
      : shownValue(value)) || en.contact.nothing

/** What has changed, as before → after. */
export function Changes({ data, label }: { data: Record<string, unknown>; label: (name: string) => string }) {
  const lines = linesOf(data)
  if (lines.length === 0) return null
  return (
    <ul className={classes.changes}>
      {lines.map(({ name, from, to, value }) => (
        <li key={name}>
          {label(name)}:{' '}
          {value === undefined ? (
            <>
              {shown(from)} <span aria-hidden>→</span>
              <span className="visually-hidden">{en.contact.into}</span> <b>{shown(to)}</b>
            </>
          ) : (
            <b>{shown(value)}</b>
          )}
        </li>
      ))}
    </ul>
  )
}
