import { Transform } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import sql, { raw, type Sql } from 'sql-template-tag'
import type { Keyring } from '../../lib/secret.ts'
import { preferencesUrl, unsubscribeUrl } from '../subscriptions/links.ts'

export const LINK_COLUMNS = ['unsubscribe_url', 'preferences_url'] as const
export type LinkColumn = (typeof LINK_COLUMNS)[number]

/** What links are made with. */
export interface LinkMaking {
  /** What they begin with. Throws conflict where mail goes out and nobody has said so. */
  base: () => string
  keyring: Keyring
}

/**
 * What the database writes in place of a link, which it can not seal: whose link it is to be, behind a word that nobody can
 * guess, so that no value of a field is taken for one. No format quotes any of it: an address holds no quotes, commas or blanks.
 * @param word Hexadecimal.
 */
export function placeholder(name: LinkColumn, word: string): Sql {
  if (!/^[0-9a-f]{32}$/.test(word)) throw new TypeError('not a word of ours')
  return sql`concat(${raw(`'<${word} ${name} '`)}, c.id, ' ', c.email, '>')`
}

/** Puts links into the lines that the database writes; those to leave are bound to a list where one is named. */
export function withLinks(
  word: string,
  { base, keyring }: LinkMaking,
  { accountId, listId }: { accountId: number; listId: number | null },
): Transform {
  const begins = base()
  const pattern = new RegExp(`<${word} (${LINK_COLUMNS.join('|')}) (\\S+) ([^>]+)>`, 'g')
  const made = (lines: string) =>
    lines.replace(pattern, (_all, name: LinkColumn, contactId: string, email: string) =>
      name === 'unsubscribe_url'
        ? unsubscribeUrl(begins, keyring, { accountId, contactId, email, listId })
        : preferencesUrl(begins, keyring, { accountId, email }),
    )
  const decoder = new StringDecoder('utf8')
  let rest = ''
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const text = rest + decoder.write(chunk)
      const end = text.lastIndexOf('\n') + 1
      rest = text.slice(end)
      done(null, end === 0 ? undefined : made(text.slice(0, end)))
    },
    flush(done) {
      done(null, made(rest + decoder.end()))
    },
  })
}
