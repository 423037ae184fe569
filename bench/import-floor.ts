import { createReadStream, createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import pg from 'pg'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'
import type { Lab } from './lab.ts'
import { progress } from './report.ts'

/** What the product has written, in the order in which a COPY by hand would write it. */
const TABLES = {
  change_rows: 'account_id, change_set_id, line, email, action, contact_id, before, after, problem',
  contacts:
    'account_id, id, email, external_id, state, state_reason, state_before, state_at, fields, tags, origin, created_at, updated_at',
  list_members: 'account_id, list_id, contact_id, since, change_set_id',
  events: 'account_id, id, contact_id, type, types, name, at, data, change_set_id',
  consents: 'account_id, id, contact_id, action, grade, source, actor, ip, data, at',
}

/** The floors: the product's own rows, written for another account, `accountId`, by one connection that has nothing else to do. */
export async function openFloor({ db }: Lab, accountId: number, files: string, listId: number) {
  const connected = async <T>(work: (client: pg.Client) => Promise<T>): Promise<T> => {
    const client = new pg.Client({ connectionString: db.url })
    await client.connect()
    try {
      return await work(client)
    } finally {
      await client.end()
    }
  }
  const timed = async (work: () => Promise<unknown>) => {
    const startedMs = performance.now()
    await work()
    return (performance.now() - startedMs) / 1000
  }
  const nextSet = `(select coalesce(max(change_set_id), 0) + 1 from change_rows where account_id = ${accountId})`
  /** Puts account 1's people as the rows of a file into `floor_staging`, in an order that is nobody's; answers how long the COPY took. */
  const staged = async (client: pg.Client) => {
    await client.query('drop table if exists floor_staging')
    await client.query('create unlogged table floor_staging (like import_rows including all)')
    await pipeline(
      client.query(
        copyTo(`copy (
          select ${accountId}, 1, email, row_number() over (order by md5(email)), fields, tags from contacts where account_id = 1
        ) to stdout`),
      ),
      createWriteStream(`${files}-rows`),
    )
    return timed(async () => {
      await pipeline(
        createReadStream(`${files}-rows`),
        client.query(copyFrom('copy floor_staging (account_id, import_id, key, line, fields, tags) from stdin')),
      )
      await client.query('analyze floor_staging (account_id, import_id, key, line)')
    })
  }
  return {
    copyAll: () =>
      connected(async (client) => {
        const byTable: Record<string, number> = {}
        for (const [table, columns] of Object.entries(TABLES)) {
          const select = columns.replace('account_id', `${accountId}`)
          await pipeline(
            client.query(copyTo(`copy (select ${select} from ${table} where account_id = 1) to stdout`)),
            createWriteStream(`${files}-rows`),
          )
          byTable[table] = await timed(() =>
            pipeline(
              createReadStream(`${files}-rows`),
              client.query(copyFrom(`copy ${table} (${columns}) from stdin`)),
            ),
          )
          progress(`floor: ${table} ${byTable[table].toFixed(1)} s`)
        }
        return Object.values(byTable).reduce((sum, each) => sum + each, 0)
      }),
    updateAll: () =>
      connected(async (client) => {
        await client.query('drop table if exists floor_rows')
        await client.query(`create table floor_rows as select email, fields from contacts where account_id = 1`)
        await client.query('alter table floor_rows add primary key (email)')
        await client.query('analyze floor_rows')
        return timed(() =>
          client.query(`
            with changed as (
              update contacts as c set fields = c.fields || r.fields, updated_at = statement_timestamp() from floor_rows as r
              where c.account_id = ${accountId} and c.email = r.email returning c.id, r.fields
            ), told as (
              insert into events (account_id, contact_id, type, types, data)
              select ${accountId}, id, 'updated', '{updated}', jsonb_build_object('fields', jsonb_build_object(
                'company', jsonb_build_object('from', 'x', 'to', fields -> 'company'), 'age', jsonb_build_object('from', 'x', 'to', fields -> 'age')))
              from changed returning id
            ) insert into outbox (account_id, event_ids) select ${accountId}, array_agg(id) from told`),
        )
      }),
    /** The file's rows by COPY, in an order that is nobody's as they have it there, and one join that compares fields. */
    compareAll: () =>
      connected(async (client) => {
        const copied = await staged(client)
        const compared = await timed(() =>
          client.query(`
            select count(*) from floor_staging as s join contacts as c on c.account_id = s.account_id and c.email = s.key
            where c.fields || s.fields <> c.fields`),
        )
        progress(`floor: rows staged ${copied.toFixed(1)} s, compared ${compared.toFixed(1)} s`)
        return copied + compared
      }),
    /**
     * What a file of changes needs: its rows by COPY into a table without a log, and one statement that changes each person, with
     * an event and a row by which the change can be taken back. Those whom `updateAll` has changed get the same values once more.
     */
    changeAndKeep: () =>
      connected(async (client) => {
        const copied = await staged(client)
        const changed = await timed(() =>
          client.query(`
            with changed as (
              update contacts as c set fields = c.fields || s.fields, updated_at = statement_timestamp() from floor_staging as s
              where c.account_id = ${accountId} and c.email = s.key and s.account_id = ${accountId}
              returning c.id, s.line, s.key, old.fields -> 'company' as old_company, old.fields -> 'age' as old_age,
                s.fields -> 'company' as company, s.fields -> 'age' as age
            ), kept as (
              insert into change_rows (account_id, change_set_id, line, email, action, contact_id, before, after)
              select ${accountId}, ${nextSet}, line, key, 'updated', id,
                concat('{"fields":{"company":', old_company, ',"age":', old_age, '}}')::jsonb,
                concat('{"fields":{"company":', company, ',"age":', age, '}}')::jsonb
              from changed
            ), told as (
              insert into events (account_id, contact_id, type, types, data)
              select ${accountId}, id, 'updated', '{updated}', concat('{"fields":{"company":{"from":', old_company, ',"to":', company,
                '},"age":{"from":', old_age, ',"to":', age, '}}}')::jsonb
              from changed returning id
            ) insert into outbox (account_id, event_ids) select ${accountId}, array_agg(id) from told`),
        )
        progress(`floor: rows staged ${copied.toFixed(1)} s, changed ${changed.toFixed(1)} s`)
        return copied + changed
      }),
    /**
     * What an unchanged file needs: its rows by COPY into a table without a log, and one statement that compares all that they
     * say with what is there, fields, tags and the list, and keeps what became of each.
     */
    compareAndKeep: () =>
      connected(async (client) => {
        const copied = await staged(client)
        const compared = await timed(() =>
          client.query(`
            insert into change_rows (account_id, change_set_id, line, email, action, contact_id)
            select ${accountId}, ${nextSet}, s.line, s.key,
              'unchanged', c.id
            from floor_staging as s join contacts as c on c.account_id = s.account_id and c.email = s.key
            where c.fields @> s.fields and c.tags @> s.tags and exists (
              select from list_members as m where m.account_id = s.account_id and m.list_id = ${listId} and m.contact_id = c.id)`),
        )
        progress(`floor: rows staged ${copied.toFixed(1)} s, compared ${compared.toFixed(1)} s`)
        return copied + compared
      }),
  }
}

export type Floor = Awaited<ReturnType<typeof openFloor>>
