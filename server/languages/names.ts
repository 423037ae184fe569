import { readdirSync } from 'node:fs'

/** What public pages and mails are written in: a file of this folder each, by its name. */
export const LANGUAGES: readonly string[] = readdirSync(import.meta.dirname)
  .filter((name) => /^[a-z]{2,3}\.ts$/.test(name))
  .map((name) => name.slice(0, -'.ts'.length))
  .sort()

/** What is wrong with a language that is none of these. */
export const NOT_SPOKEN = `is not a language of mails and pages: write one of ${LANGUAGES.join(', ')}`
