import sql from 'sql-template-tag'
import type { Database } from '../server/db/database.ts'
import { contactFields, loadContacts } from './dataset.ts'
import { openLab } from './lab.ts'
import { describeMachine } from './machine.ts'
import { digits, type Figure } from './report.ts'
import { median } from './statistics.ts'

/** What one person has lived through. */
const EVENTS = 10_000
const TARGET_MS = 1000

export interface PrivacyOptions {
  rounds: number
  contacts: number
  profileDir?: string | undefined
}

/**
 * Someone with ten thousand events is exported and erased, in an account with many others and the rows of a trial import of
 * as many. Floors: the same events as one JSON array by one query; the same rows deleted by as many statements, in one
 * transaction.
 */
export async function benchPrivacy({
  rounds,
  contacts,
  profileDir,
}: PrivacyOptions): Promise<{ machine: string; figures: Figure[] }> {
  const lab = await openLab({ profileDir })
  const { db } = lab
  try {
    await db.query(contactFields(1))
    await loadContacts(db, 1, contacts)
    await db.query(sql`
      with trial as (
        insert into change_sets (account_id, kind, phase, actor, finished_at) values (1, 'import', 'ready', 'token:1', now()) returning id
      )
      insert into change_rows (account_id, change_set_id, line, email, action, after)
      select 1, trial.id, line, 'trial' || line || '@example.net', 'created', jsonb_build_object('fields', jsonb_build_object('first_name', 'N' || line))
      from trial, generate_series(2, ${contacts}::bigint + 1) as line`)
    await db.query(sql`vacuum analyze`)
    const { address } = await lab.start('api')
    const ask = async (method: string, path: string) => {
      const start = performance.now()
      const answer = await fetch(`${address}/api/contacts/${path}`, { method, headers: { 'api-token': lab.token } })
      const body = await answer.text()
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${body}`)
      return { ms: performance.now() - start, body }
    }
    const times = { exported: [] as number[], told: [] as number[], erased: [] as number[], deleted: [] as number[] }
    for (let round = 0; round <= rounds; round++) {
      const [product, floor] = [await newPerson(db, `product${round}`), await newPerson(db, `floor${round}`)]
      const told = await timed(() =>
        db.query(
          sql`select json_agg(e order by id)::text from events as e where account_id = 1 and contact_id = ${floor}`,
        ),
      )
      const exported = await ask('GET', `${product}/export`)
      const { events } = JSON.parse(exported.body) as { events: unknown[] }
      if (events.length !== EVENTS) throw new Error(`${events.length} events were exported`)
      const deleted = await timed(() => deleteByHand(db, floor))
      const erased = await ask('DELETE', `${product}/gdpr_delete`)
      const { counts } = JSON.parse(erased.body) as { counts: Record<string, number> }
      if (counts.events !== EVENTS) throw new Error(`${counts.events} events were erased`)
      if (round === 0) continue // which warms up
      times.exported.push(exported.ms)
      times.told.push(told)
      times.erased.push(erased.ms)
      times.deleted.push(deleted)
    }
    const what = (act: string) =>
      `${act} with ${digits(EVENTS)} events, ${digits(contacts)} others and rows of a trial import`
    return {
      machine: await describeMachine(db),
      figures: [
        figureOf(what('export of a person'), median(times.exported), median(times.told)),
        figureOf(what('erasure of a person'), median(times.erased), median(times.deleted)),
      ],
    }
  } finally {
    await lab.stop()
  }
}

function figureOf(what: string, ms: number, floorMs: number): Figure {
  return {
    what,
    measured: `${digits(ms)} ms`,
    floor: `${digits(floorMs)} ms`,
    ratio: `${digits(ms / floorMs)} ×`,
    target: `≤ ${digits(TARGET_MS)} ms`,
    met: ms <= TARGET_MS,
  }
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await act()
  return performance.now() - start
}

/** Somebody whose events lie between those of others, as over years. */
async function newPerson(db: Database, name: string): Promise<string> {
  const [row] = await db.query<{ id: string }>(sql`
    insert into contacts (account_id, email, state, origin, fields)
    values (1, ${`${name}@example.org`}, 'subscribed', 'api', '{"first_name": "Katherine", "last_name": "Johnson"}') returning id`)
  const { id } = row!
  await db.query(sql`
    insert into events (account_id, contact_id, type, types, name, data)
    select 1, case when nth % 5 = 0 then ${id}::uuid else new_id() end, 'custom', '{custom}', 'page_seen',
      jsonb_build_object('params', jsonb_build_object('page', '/products/' || nth, 'seconds', nth % 60))
    from generate_series(1, ${5 * EVENTS}::int) as nth`)
  await db.query(sql`
    insert into consents (account_id, contact_id, action, grade, source, actor) values (1, ${id}, 'granted', 'asserted', 'api', 'token:1')`)
  return id
}

async function deleteByHand(db: Database, id: string): Promise<void> {
  await db.transaction(async (trx) => {
    for (const table of ['contacts', 'events', 'consents', 'list_members', 'messages', 'confirmations'] as const) {
      const column = table === 'contacts' ? 'id' : 'contact_id'
      trx.send({ text: `delete from ${table} where account_id = 1 and ${column} = $1`, values: [id] })
    }
  })
}
