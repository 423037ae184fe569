/**
 * What the API is measured against: the least that could do the same. Fastify as it comes, the product's own pool and
 * tables, one statement a request; no tokens, no checks, no definitions of fields.
 */
import Fastify from 'fastify'
import sql from 'sql-template-tag'
import { readConfig } from '../../server/config.ts'
import { Database } from '../../server/db/database.ts'
import { hmac, openSealed, parseKeyring } from '../../server/lib/secret.ts'

interface Entry {
  email: string
  fields: Record<string, unknown>
}

interface Written {
  id: string
  created_at: Date
  updated_at: Date
}

const ACCOUNT = 1
const config = readConfig(process.env)
const keyring = parseKeyring(process.env.ROLLCALL_SECRET!)
const db = new Database({ url: config.DATABASE_URL!, max: config.DATABASE_POOL_SIZE })
const app = Fastify({ logger: false })

/** Leaves the very rows that the product's `POST /api/contacts` leaves. */
app.post<{ Body: Entry }>('/contacts', async (request, reply) => {
  const { email, fields } = request.body
  const changes = Object.fromEntries(Object.entries(fields).map(([key, to]) => [key, { to }]))
  const data = { origin: 'api', email: { to: email }, state: { to: 'subscribed' }, fields: changes }
  const [written] = await db.query<Written>(sql`
    with contact as (
      insert into contacts (account_id, email, state, state_reason, fields, tags, origin)
      values (${ACCOUNT}, ${email}, 'subscribed', 'caller', ${JSON.stringify(fields)}, '{}', 'api')
      returning id, created_at, updated_at
    ), event as (
      insert into events (account_id, contact_id, type, types, data)
      select ${ACCOUNT}, id, 'created', '{created,subscribed}', ${JSON.stringify(data)} from contact
      returning id
    ), queued as (
      insert into outbox (account_id, event_ids) select ${ACCOUNT}, array[id] from event
    ), consent as (
      insert into consents (account_id, contact_id, action, grade, source, actor, ip)
      select ${ACCOUNT}, id, 'granted', 'asserted', 'api', 'token:1', ${request.ip} from contact
    )
    select * from contact`)
  return reply.code(201).send({ data: { ...written, email, state: 'subscribed', fields, tags: [], origin: 'api' } })
})

app.get<{ Params: { id: string } }>('/contacts/:id', async (request) => {
  const [contact] = await db.query(sql`
    select id, email, external_id, state, state_reason, state_before, fields, tags, origin, created_at, updated_at
    from contacts where account_id = ${ACCOUNT} and id = ${request.params.id}`)
  return { data: contact }
})

interface Page {
  body: string
  headers: Record<string, string>
  /** Whose page it is, where its address says so. */
  opens?: { purpose: string; sealed: string }
  /** Reads what it shows; none where it shows nothing that is kept. */
  reads?: { text: string; values: unknown[] }
  /** What it signs, so that it knows later when it was shown. */
  signs?: string
}

const pages = new Map<string, Page>()

/** Answers to be given as they are, each after what nobody can do without to give it. */
app.put<{ Params: { name: string }; Body: Page }>('/pages/:name', async ({ params, body }) => {
  pages.set(params.name, body)
  return {}
})

app.get<{ Params: { name: string } }>('/pages/:name', async ({ params }, reply) => {
  const { body, headers, opens, reads, signs } = pages.get(params.name)!
  if (opens) openSealed(keyring, opens.purpose, Buffer.from(opens.sealed, 'base64url'))
  if (reads && (await db.query(reads)).length === 0) return reply.code(404).send()
  if (signs) hmac(keyring, 'time', signs)
  return reply.headers(headers).send(body)
})

process.once('disconnect', () => process.exit())
process.stdout.write(`listening on ${await app.listen({ host: config.HOST, port: config.PORT })}\n`)
