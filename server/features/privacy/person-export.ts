import sql from 'sql-template-tag'
import type { Database, Queryable } from '../../db/database.ts'
import type { Keyring } from '../../lib/secret.ts'
import { readTimeline } from '../activity/timeline.ts'
import { eventOnWire, type Naming } from '../activity/wire.ts'
import type { ReadRow } from '../contacts/contact.ts'
import type { ContactReader } from '../contacts/find.ts'
import { fieldOnWire } from '../fields/fields.ts'
import { CONFIRM_REQUEST } from '../mail/built-in.ts'
import { openLetter, withoutLinks } from '../mail/letter.ts'
import { suppressionValues } from '../subscriptions/suppressions.ts'

/** Rows read at once: what an export holds in memory of a person, whatever they have lived through. */
const AT_ONCE = 1000

export interface ExportParts {
  db: Database
  keyring: Keyring
  reader: ContactReader
  nameFields: (accountId: number) => Promise<Naming>
}

export type Section = 'lists' | 'events' | 'consents' | 'mails' | 'changes' | 'suppressions' | 'recipients'

/** What is held of a person: the contact itself, and sections of which each is read as it is asked for. */
export interface PersonExport {
  about: Record<string, unknown>
  sections: Record<Section, () => AsyncGenerator<Record<string, unknown>[]>>
}

interface ChangeRow {
  change_set_id: number
  line: number
  before: Record<string, unknown> | null
  after: Record<string, unknown> | null
}

/** Everything held of a contact, in batches, each as the moment of its reading has it. */
export async function exportOf(parts: ExportParts, accountId: number, row: ReadRow): Promise<PersonExport> {
  const { db, keyring, reader, nameFields } = parts
  const { id, email } = row
  const [contact, fields, name] = await Promise.all([
    reader.show(accountId, row),
    reader.fieldsOf(accountId),
    nameFields(accountId),
  ])
  const [detailed] = await reader.withSmartLists(accountId, [contact])
  const of = sql`account_id = ${accountId} and contact_id = ${id}::uuid`
  return {
    about: {
      exported_at: new Date().toISOString(),
      contact: detailed ?? contact,
      fields: fields.active.map(fieldOnWire),
    },
    sections: {
      lists: async function* () {
        yield await db.query(sql`
          select l.id as list_id, l.name, m.since, null as left_at from list_members as m
          join lists as l on l.account_id = m.account_id and l.id = m.list_id where m.account_id = ${accountId} and m.contact_id = ${id}::uuid
          union all
          select o.list_id, l.name, null, o.at from list_opt_outs as o
          left join lists as l on l.account_id = o.account_id and l.id = o.list_id where o.account_id = ${accountId} and o.email = ${email}
          union all
          select (data #>> '{list_id}')::bigint, null, null, at from events
          where ${of} and type = 'list_left' and data ? 'list_id'
          union all
          select removed.id::bigint, null, null, at from events cross join jsonb_array_elements_text(data #> '{lists,removed}') as removed (id)
          where ${of} and jsonb_typeof(data #> '{lists,removed}') = 'array'
          order by 1, 3, 4`)
      },
      events: () =>
        paged(async (after: string | undefined) => {
          const rows = await readTimeline(db, accountId, id, {
            types: [],
            limit: AT_ONCE,
            offset: 0,
            after: after === undefined ? undefined : [after, null],
          })
          return {
            rows: rows.map((event) => ({ name: null, change_set_id: null, ...eventOnWire(event, name) })),
            next: rows.at(-1)?.id,
          }
        }),
      consents: () => consentsOf(db, accountId, id),
      mails: () =>
        paged(async (after: string | undefined) => {
          const rows = await db.query<{ id: string; template: string; content: Buffer }>(sql`
            select id, template, template_version, phase, at, sent_at, content from messages
            where ${of} and id > ${after ?? NIL}::uuid order by id limit ${AT_ONCE}`)
          const shown = rows.map(({ content, ...mail }) => {
            const letter = openLetter(keyring, content)
            // Who reads people, and whomever the document is handed to, must not come to act for the person by it.
            const { to, subject, text } = letter ? withoutLinks(letter) : {}
            return mail.template === CONFIRM_REQUEST ? { ...mail, to } : { ...mail, to, subject, text }
          })
          return { rows: shown, next: rows.at(-1)?.id }
        }),
      changes: () =>
        paged(async (behind: { set: number; line: number } | undefined) => {
          const rows = await db.query<ChangeRow>(sql`
            select r.change_set_id, s.kind, s.actor, s.created_at as at, i.file_name, r.line, r.action, r.email, r.before, r.after, r.problem
            from change_rows as r join change_sets as s on s.account_id = r.account_id and s.id = r.change_set_id
            left join imports as i on i.account_id = r.account_id and i.id = r.change_set_id
            where r.account_id = ${accountId} and r.contact_id = ${id}::uuid and (r.change_set_id, r.line) > (${behind?.set ?? 0}::bigint, ${behind?.line ?? 0}::bigint)
            order by r.change_set_id, r.line limit ${AT_ONCE}`)
          const named = rows.map((change) => ({
            ...change,
            before: change.before && name(change.before),
            after: change.after && name(change.after),
          }))
          const last = rows.at(-1)
          return { rows: named, next: last && { set: last.change_set_id, line: last.line } }
        }),
      suppressions: async function* () {
        yield await db.query(sql`
          select kind, reason, source, at, expires_at from suppressions
          where account_id = ${accountId} and kind <> 'hmac' and value = any(${suppressionValues(email)}::text[]) order by id`)
      },
      recipients: async function* () {
        yield await db.query(sql`
          select w.url, count(*) as messages, max(d.created_at) as last_at from deliveries as d
          join webhooks as w on w.account_id = d.account_id and w.id = d.webhook_id
          where d.account_id = ${accountId} and d.contact_ids @> array[${id}::uuid] and d.state = 'delivered' group by w.url order by w.url`)
      },
    },
  }
}

/** Every permission of a contact and its withdrawal, the oldest first, in batches. */
export function consentsOf(
  db: Queryable,
  accountId: number,
  contactId: string,
): AsyncGenerator<Record<string, unknown>[]> {
  return paged(async (after: string | undefined) => {
    const rows = await db.query<{ id: string }>(sql`
      select id, action, grade, source, actor, host(ip) as ip, data, at from consents
      where account_id = ${accountId} and contact_id = ${contactId}::uuid and id > ${after ?? NIL}::uuid
      order by id limit ${AT_ONCE}`)
    return { rows, next: rows.at(-1)?.id }
  })
}

const NIL = '00000000-0000-0000-0000-000000000000'

/** Batches until one is short, each behind the one before. */
async function* paged<Key>(
  read: (after: Key | undefined) => Promise<{ rows: Record<string, unknown>[]; next: Key | undefined }>,
): AsyncGenerator<Record<string, unknown>[]> {
  for (let after: Key | undefined; ; ) {
    const { rows, next } = await read(after)
    if (rows.length > 0) yield rows
    if (rows.length < AT_ONCE) return
    after = next
  }
}

/** One JSON document, in parts: `{exported_at, contact, fields, lists: […], events: […], …}`. */
export async function* jsonOf({ about, sections }: PersonExport): AsyncGenerator<string> {
  yield JSON.stringify(about).slice(0, -1)
  for (const [name, read] of Object.entries(sections)) {
    yield `,"${name}":[`
    let isFirst = true
    for await (const rows of read()) {
      if (rows.length === 0) continue
      yield (isFirst ? '' : ',') + rows.map((row) => JSON.stringify(row)).join(',')
      isFirst = false
    }
    yield ']'
  }
  yield '}\n'
}
