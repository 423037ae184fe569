import { displayEmail } from '../../lib/email.ts'

/**
 * How an address may stand in a text that somebody wrote: as it is stored, with the domain in its own script, and either
 * of them with its letters put together from parts.
 */
function formsOf(email: string): string[] {
  const forms = [email, displayEmail(email)].flatMap((form) => [form, form.normalize('NFD'), form.toUpperCase()])
  return [...new Set(forms)]
}

// What goes on before or behind it is another address: ann@example.com does not stand in joann@example.com. A line break in
// a JSON text ends with a letter and is none, and neither is what a file's name ends with.
const BEFORE = '(?:(?<![{word}.+-])|(?<=\\\\[bfnrt]))'
const BEHIND = '(?![{word}-]|\\.(?!(?:csv|tsv|txt|json|jsonl|ndjson|xlsx|gz)(?![{word}]))[{word}])'

function patternOf(emails: readonly string[], word: string): string {
  const forms = emails.flatMap(formsOf).map((form) => form.replaceAll(/[\\^$.*+?()[\]{}|/]/g, (sign) => `\\${sign}`))
  return `${BEFORE}(?:${forms.join('|')})${BEHIND}`.replaceAll('{word}', word)
}

/** A pattern that finds any of these addresses, at least one, in a text; for PostgreSQL's `~*`. */
export const patternInDatabase = (emails: readonly string[]) => patternOf(emails, '[:alnum:]_')

/** The same for here. */
export const finderOf = (emails: readonly string[]) => new RegExp(patternOf(emails, '\\p{L}\\p{N}_'), 'iu')
