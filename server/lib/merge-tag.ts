import anyAscii from 'any-ascii'

export const LONGEST_MERGE_TAG = 80

/** Names the API gives another meaning: parameters, a contact's own attributes, words of the criteria, mail's own tags. */
const OWN_WORDS = `
  id email email_domain external_id status state subscribed sendable origin tag tags list list_id list_ids event field
  fields all any not lists unsubscribed consent_at consent_ip consent_source unsubscribe_url preferences_url error q page
  per_page cursor sort count include created_at updated_at`

/**
 * Merge tags that no field can have, in lower case. Beside our own words what every JavaScript object answers to
 * (`constructor`, `__proto__`, …): a client that reads `fields.constructor` must not find something there or lose it.
 */
export const RESERVED_MERGE_TAGS: ReadonlySet<string> = new Set(
  [...OWN_WORDS.trim().split(/\s+/), ...Object.getOwnPropertyNames(Object.prototype), 'prototype'].map((word) =>
    word.toLowerCase(),
  ),
)

/** Without regard to case. */
export function isReservedMergeTag(text: string): boolean {
  return RESERVED_MERGE_TAGS.has(text.toLowerCase())
}

/** Letters, digits and _, not a digit first, 1 to 80 characters. */
export function isMergeTag(text: string): boolean {
  return text.length <= LONGEST_MERGE_TAG && /^[A-Za-z_][A-Za-z0-9_]*$/.test(text)
}

/**
 * A merge tag for a name in any script: `Größe` → `grosse`, `companySize` → `company_size`, `名前` → `ming_qian`,
 * `1st name` → `field_1st_name`. Always a merge tag in lower case that starts with a letter, `custom_field` where the name
 * has nothing to make one of; it may be reserved or taken, which is the caller's to see.
 */
export function mergeTagFrom(name: string): string {
  // What is beyond four times the limit can't be seen in the result, as one character rarely leaves nothing behind.
  const words = anyAscii(name.slice(0, 4 * LONGEST_MERGE_TAG).toWellFormed())
    .replaceAll("'", '')
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '')
    .join('_')
  if (words === '') return 'custom_field'
  const tag = /^\d/.test(words) ? `field_${words}` : words
  return tag.slice(0, LONGEST_MERGE_TAG).replace(/_$/, '')
}
