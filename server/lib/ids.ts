import { notFound } from './app-error.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/**
 * An integer id, 1 to 2^53 - 1, from a JSON number or from text without sign, zeros or spaces before it. All else, also
 * what is beyond 64 bits, is null: no row has such an id, and PostgreSQL would answer with an error.
 */
export function parseId(id: string | number): number | null {
  const value = typeof id === 'number' ? id : /^[1-9]\d{0,15}$/.test(id) ? Number(id) : Number.NaN
  return Number.isSafeInteger(value) && value > 0 ? value : null
}

/** The id of a row as it stands in a path, where one that is none names nothing: throws not_found. */
export function pathId(text: string): number {
  const id = parseId(text)
  if (id === null) throw notFound()
  return id
}

/** A UUID of any version in its hyphenated form, any letter case, as lower case; null for all else. */
export function parseUuid(text: string): string | null {
  return UUID.test(text) ? text.toLowerCase() : null
}

/** The moment at which a UUIDv7 was made, to the millisecond. */
export function momentOf(uuid: string): Date {
  return new Date(Number.parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16))
}
