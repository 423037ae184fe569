import { hash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import sql, { raw } from 'sql-template-tag'
import { openSealed } from '../lib/secret.ts'
import { keyring, type TestApp } from './app.ts'
import { columns } from './everything.ts'

/** An address in every form in which it could stand somewhere. */
export function formsOf(email: string): string[] {
  return [
    email,
    email.split('@')[0]!,
    encodeURIComponent(email),
    encodeURIComponent(encodeURIComponent(email)),
    email.replace('@', '\\u0040'),
    email.replace('@', '&#64;'),
    email.replace('@', '=40'), // quoted-printable
    email.replaceAll('.', 'J').replace('@', 'Q'), // the key that contacts are searched by
    ...['base64', 'base64url'].flatMap((encoding) => [0, 1, 2].map((shift) => inside(email, shift, encoding))),
    Buffer.from(email).toString('hex'),
    Buffer.from(email, 'utf16le').toString('latin1'),
    [...email].reverse().join(''),
    ...['sha256', 'sha1', 'md5'].flatMap((algorithm) => [
      hash(algorithm, email, 'hex'),
      hash(algorithm, email, 'base64'),
      hash(algorithm, email, 'buffer').toString('latin1'),
    ]),
  ]
}

/** As it stands in the middle of something longer that was encoded. */
function inside(text: string, shift: number, encoding: string): string {
  const encoded = Buffer.from('x'.repeat(shift) + text).toString(encoding as BufferEncoding)
  return encoded.slice(shift === 0 ? 0 : 4, -4)
}

/** What can hold a text, or bytes that are one. */
const KINDS = [
  'text',
  'character varying',
  'character',
  'jsonb',
  'json',
  'text[]',
  'jsonb[]',
  'name',
  'bytea',
  'inet',
  'xml',
]

/** What is sealed, and for what. */
const SEALED = [
  ['idempotency_keys', 'answer', 'idempotency'],
  ['messages', 'content', 'mail'],
  ['erasures', 'pending', 'erasure'],
  ['sign_ups', 'content', 'sign-up'],
] as const

const textOf = (value: unknown) => (Buffer.isBuffer(value) ? value.toString('latin1') : String(value))

/** Every place of the database, of the planner's samples of it, and of the file store in which any of these texts stands. */
export async function placesOf({ db, filesAt, accountId }: TestApp, texts: readonly string[]): Promise<Set<string>> {
  const places = new Set<string>()
  const wanted = texts.map((text) => text.toLowerCase())
  const look = (place: string, content: string) => {
    const lower = content.toLowerCase()
    if (wanted.some((text) => lower.includes(text))) places.add(place)
  }
  for (const { table, column } of await columns(db, KINDS)) {
    const name = raw(`"${column}"`)
    for (const { value, type } of await db.query<{ value: unknown; type: string }>(
      sql`select ${name} as value, pg_typeof(${name})::text as type from ${raw(table)} where ${name} is not null`,
    ))
      look(`${table}.${column}`, type === 'bytea' || typeof value === 'string' ? textOf(value) : JSON.stringify(value))
  }
  for (const [table, column, purpose] of SEALED) {
    const rows = await db.query<{ sealed: Buffer }>(
      sql`select ${raw(column)} as sealed from ${raw(table)} where account_id = ${accountId} and ${raw(column)} is not null`,
    )
    for (const { sealed } of rows) look(`${table}.${column}`, openSealed(keyring, purpose, sealed))
  }
  for (const { place, sample } of await db.query<{ place: string; sample: string }>(sql`
    select 'samples of ' || tablename as place, concat_ws(' ', most_common_vals::text, histogram_bounds::text, most_common_elems::text) as sample
    from pg_stats where schemaname in ('public', 'pgboss')`))
    look(place, sample)
  const root = join(filesAt.home, 'files')
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true }).filter((file) => file.isFile())) {
    const bytes = readFileSync(join(entry.parentPath, entry.name))
    const content = bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes
    const place = `file ${entry.parentPath.slice(root.length)}`
    for (const encoding of ['latin1', 'utf8', 'utf16le'] as const)
      look(place, `${entry.name} ${content.toString(encoding)}`)
  }
  return places
}
