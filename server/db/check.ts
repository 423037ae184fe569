import pg from 'pg'
import { Refusal } from '../lib/refusal.ts'

const OLDEST = 15
const EXTENSIONS = ['pg_trgm', 'btree_gin'] as const

/**
 * Sees whether a given PostgreSQL can serve: version, encoding, letters beyond ASCII, extensions (made where missing),
 * the rights that migrations need, and a direct connection that is one. Throws a Refusal that holds the cure.
 *
 * @param url what requests use, perhaps through a pooler; `directUrl`: the same database without one
 */
export async function checkDatabase(url: string, directUrl: string): Promise<void> {
  await connected(directUrl, url === directUrl ? 'DATABASE_URL' : 'DATABASE_DIRECT_URL', async (direct) => {
    await checkServer(direct)
    await checkExtensions(direct)
    await checkLetters(direct)
    await checkRights(direct)
    await connected(url, 'DATABASE_URL', async (client) => {
      if (url === directUrl) await checkNotPooled(direct, client)
      else await checkSameDatabase(direct, client)
    })
  })
}

async function checkServer(client: pg.Client): Promise<void> {
  const found = await read<{ version: number; shown: string; encoding: string; standby: boolean; database: string }>(
    client,
    `select current_setting('server_version_num')::int as version, current_setting('server_version') as shown,
      current_setting('server_encoding') as encoding, pg_is_in_recovery() as standby, current_database() as database`,
  )
  if (found.version < OLDEST * 10_000) {
    throw new Refusal(
      `the database runs on PostgreSQL ${found.shown}: use ${OLDEST} or newer, or leave DATABASE_URL out for the embedded one`,
    )
  }
  if (found.standby)
    throw new Refusal('the database is a standby, which takes no writes: let DATABASE_URL name the primary')
  if (found.encoding !== 'UTF8') {
    throw new Refusal(
      `the database ${found.database} has the encoding ${found.encoding}: ${howToCreate('make one with UTF8')}`,
    )
  }
}

async function checkExtensions(client: pg.Client): Promise<void> {
  for (const name of EXTENSIONS) {
    try {
      await client.query(`create extension if not exists ${name}`)
    } catch (error) {
      if ((error as { code?: string }).code === '23505') continue // another process made it at the same moment
      const missing = /not available|could not open extension/.test((error as Error).message)
      throw new Refusal(
        missing
          ? `the extension ${name} is not installed on the database server: install PostgreSQL's contrib modules (package postgresql-contrib)`
          : `the extension ${name} can't be made (${(error as Error).message}): let an administrator run "create extension ${name}" in this database`,
      )
    }
  }
}

/** Search and comparison would silently miss names in most of the world's scripts. */
async function checkLetters(client: pg.Client): Promise<void> {
  const cure = howToCreate('make one that knows all letters')
  const { lower } = await read<{ lower: string }>(client, `select lower('É') as lower`)
  if (lower !== 'é') throw new Refusal(`in this database lower('É') is not 'é', because of its locale: ${cure}`)
  const found = await client
    .query<{ parts: number }>(`select cardinality(show_trgm('Жук')) as parts`)
    .catch((error: Error) => {
      throw new Refusal(
        `pg_trgm is in a schema that is not searched (${error.message}): run "alter extension pg_trgm set schema public", the same for btree_gin`,
      )
    })
  if (!found.rows[0]?.parts)
    throw new Refusal(`in this database show_trgm('Жук') finds no letters, because of its locale: ${cure}`)
}

async function checkRights(client: pg.Client): Promise<void> {
  const found = await read<{
    role: string
    schema: string | null
    may: boolean | null
    database: string
    makes_schemas: boolean
  }>(
    client,
    `select current_user as role, current_schema() as schema, has_schema_privilege(current_schema(), 'create') as may,
      current_database() as database, has_database_privilege(current_database(), 'create') as makes_schemas`,
  )
  const { role, schema, database } = found
  const quoted = { role: pg.escapeIdentifier(role), database: pg.escapeIdentifier(database) }
  if (!found.may) {
    throw new Refusal(
      `role ${role} may not create tables in database ${database}: let an administrator run ` +
        `"grant create on schema ${pg.escapeIdentifier(schema ?? 'public')} to ${quoted.role}", or make the role the database's owner`,
    )
  }
  if (!found.makes_schemas) {
    throw new Refusal(
      `role ${role} may not create a schema in database ${database}, which the job queue has: let an administrator run ` +
        `"grant create on database ${quoted.database} to ${quoted.role}"`,
    )
  }
}

/**
 * A pooler that gives out a server's session for one transaction at a time would lose the migrations' lock. It shows
 * when one client's session is held open: another one, which had it before, is then given a different one.
 */
async function checkNotPooled(first: pg.Client, second: pg.Client): Promise<void> {
  const session = async (client: pg.Client) =>
    (await read<{ pid: number }>(client, 'select pg_backend_pid() as pid')).pid
  const before = await session(first)
  await second.query('begin')
  const held = await session(second)
  // In this order: where one session is all that the pooler has, asking again would wait for ever.
  const isPooled = held === before || (await session(first)) !== before
  await second.query('rollback')
  if (!isPooled) return
  throw new Refusal(
    'DATABASE_URL leads through a pooler in transaction mode: set DATABASE_DIRECT_URL to the server itself, for migrations and LISTEN',
  )
}

async function checkSameDatabase(direct: pg.Client, client: pg.Client): Promise<void> {
  const identity = async (which: pg.Client) =>
    (
      await read<{ id: string }>(
        which,
        `select current_database() || ' ' || pg_postmaster_start_time()::timestamptz(6) at time zone 'UTC' as id`,
      )
    ).id
  if ((await identity(direct)) !== (await identity(client))) {
    throw new Refusal('DATABASE_URL and DATABASE_DIRECT_URL lead to different databases: let both name the same one')
  }
}

function howToCreate(what: string): string {
  return (
    `${what}, with "create database rollcall template template0 encoding 'UTF8' locale 'C.UTF-8'" ` +
    '(on PostgreSQL 17 and newer also "locale_provider builtin builtin_locale \'C.UTF-8\'")'
  )
}

async function read<Row extends pg.QueryResultRow>(client: pg.Client, text: string): Promise<Row> {
  return (await client.query<Row>(text)).rows[0]!
}

async function connected(url: string, name: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  client.on('error', () => {}) // reported by the statement that fails
  try {
    await client.connect()
  } catch (error) {
    // Several addresses of one host fail together, with no message of their own.
    const reason =
      error instanceof AggregateError
        ? error.errors.map((each: Error) => each.message).join(', ')
        : (error as Error).message
    throw new Refusal(`no connection to the database of ${name}: ${reason}`, { cause: error })
  }
  try {
    await work(client)
  } finally {
    await client.end().catch(() => {})
  }
}
