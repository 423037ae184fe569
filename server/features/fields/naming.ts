import type { FieldCache, FieldSet } from './field-set.ts'

/** What is stored under a field's key, under its merge tag of now; of a field that was removed, under its key. */
function named(fields: FieldSet, values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [fields.keyed(key)?.mergeTag ?? key, value]))
}

/** For an account: a function that names the `fields` in an event's or a change row's data. */
export function nameFieldsFor(cache: FieldCache) {
  return async (accountId: number) => {
    const fields = await cache.of(accountId)
    return (data: Record<string, unknown>): Record<string, unknown> =>
      typeof data.fields === 'object' && data.fields !== null
        ? { ...data, fields: named(fields, data.fields as Record<string, unknown>) }
        : data
  }
}
