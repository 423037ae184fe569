import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onClient, ownServer } from '../test/own-server.ts'
import { checkDatabase } from './check.ts'

const server = await ownServer()

/** Checks a database that is made with these options. */
async function checkNew(name: string, options: string, role?: string): Promise<void> {
  await server.asRoot(`create database ${name} template template0 ${options}`)
  const url = server.urlOf(name, role)
  await checkDatabase(url, url)
}

test('a database that can serve passes, and then has the extensions', async () => {
  await checkNew('good', 'owner rollcall')

  const { rows } = await onClient(server.urlOf('good'), (client) =>
    client.query('select extname from pg_extension order by 1'),
  )
  assert.deepEqual(
    rows.map(({ extname }) => extname).filter((name) => name !== 'plpgsql'),
    ['btree_gin', 'pg_trgm'],
  )
  await checkDatabase(server.urlOf('good'), server.urlOf('good'))
})

test('another encoding than UTF-8 is refused', async () => {
  const options = `owner rollcall encoding 'SQL_ASCII' locale_provider libc locale 'C'`

  await assert.rejects(checkNew('ascii', options), {
    name: 'Refusal',
    message: /encoding SQL_ASCII: make one with UTF8.*create database/,
  })
})

test('a locale that knows ASCII letters alone is refused', async () => {
  const options = `owner rollcall encoding 'UTF8' locale_provider libc locale 'C'`

  await assert.rejects(checkNew('plain', options), { name: 'Refusal', message: /lower\('É'\).*create database/ })
})

test('a role that may not create tables, schemas or extensions is refused with the statement that lets it', async () => {
  await server.asRoot('create role guest login')
  await assert.rejects(checkNew('closed', '', 'guest'), {
    name: 'Refusal',
    message: /"create extension pg_trgm" in this database/,
  })

  for (const name of ['pg_trgm', 'btree_gin']) await server.asRoot(`create extension ${name}`, 'closed')
  const url = server.urlOf('closed', 'guest')
  await assert.rejects(checkDatabase(url, url), {
    name: 'Refusal',
    message: /"grant create on schema "public" to "guest""/,
  })

  await server.asRoot('grant create on schema public to guest', 'closed')
  await assert.rejects(checkDatabase(url, url), {
    name: 'Refusal',
    message: /"grant create on database "closed" to "guest""/,
  })

  await server.asRoot('grant create on database closed to guest')
  await checkDatabase(url, url)
})

test('extensions in a schema that is not searched are refused', async () => {
  await server.asRoot('create database hidden template template0 owner rollcall')
  await server.asRoot('create schema elsewhere; create extension pg_trgm schema elsewhere', 'hidden')

  const url = server.urlOf('hidden')
  await assert.rejects(checkDatabase(url, url), { name: 'Refusal', message: /alter extension pg_trgm set schema/ })
})

test('a direct address that leads to another database is refused', async () => {
  await server.asRoot('create database other owner rollcall')

  const different = checkDatabase(server.url, server.urlOf('other'))

  await assert.rejects(different, { name: 'Refusal', message: /different databases/ })
})

test('a database that does not answer is named by its variable, without its password', async () => {
  const nowhere = 'postgres://someone:sesame@127.0.0.1:1/x'

  await assert.rejects(checkDatabase(server.url, nowhere), (error: Error) => {
    return /DATABASE_DIRECT_URL.*ECONNREFUSED/.test(error.message) && !error.message.includes('sesame')
  })
  await assert.rejects(checkDatabase(nowhere, nowhere), /of DATABASE_URL/)
})
