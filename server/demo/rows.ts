import { createHash, randomBytes, randomUUID } from 'node:crypto'
import sql, { type Sql } from 'sql-template-tag'
import type { Trx } from '../db/database.ts'
import { findAccount } from '../features/accounts/accounts.ts'
import { inOrder } from '../features/activity/event-types.ts'
import { CONFIRM_SUBSCRIPTION } from '../features/mail/built-in.ts'
import { sealLetter } from '../features/mail/letter.ts'
import { render, type Source, type Variables } from '../features/mail/render.ts'
import { findTemplate } from '../features/mail/templates.ts'
import { displayEmail } from '../lib/email.ts'
import type { Keyring } from '../lib/secret.ts'
import { isLinkKept, type Names, type Story } from './story.ts'

/** Rows of one statement. */
const AT_ONCE = 5000

export interface Writing {
  trx: Trx
  keyring: Keyring
  accountId: number
  /** What links in mails begin with. */
  base: string
  /** CONFIRMATION_DAYS. */
  days: number
  now: number
  names: Names
}

/** Writes down all that happened to people. `known` are those whom imports have entered, by external id. */
export async function writeStories(
  writing: Writing,
  stories: readonly Story[],
  known: ReadonlyMap<string, string>,
): Promise<void> {
  const idOf = new Map(
    stories.map((story) => [story, known.get(story.person.external_id) ?? idAt(story.person.joined)]),
  )
  const mails = new Map(stories.flatMap(({ asked }) => asked.map(({ mail, at }) => [mail, idAt(at)] as const)))
  await writeContacts(writing, stories, idOf)
  await writeMails(writing, stories, idOf, mails)
  const { trx, accountId } = writing
  const events = stories.flatMap((story) =>
    story.acts.map(({ at, types, name, data }) => ({
      ...{ id: idAt(at), contact_id: idOf.get(story)!, types: inOrder(types), name, at: iso(at) },
      data: typeof data.message_id === 'number' ? { ...data, message_id: mails.get(data.message_id) } : data,
    })),
  )
  await inParts(
    trx,
    events,
    (rows) => sql`
    insert into events (account_id, id, contact_id, type, types, name, at, data)
    select ${accountId}::bigint, id, contact_id, types[1], types, name, at, data
    from jsonb_to_recordset(${rows}::jsonb)
      as e (id uuid, contact_id uuid, types text[], name text, at timestamptz, data jsonb)`,
  )
  const words = stories.flatMap((story) =>
    story.words.map(({ at, ...word }) => ({ id: idAt(at), contact_id: idOf.get(story)!, at: iso(at), ...word })),
  )
  await inParts(
    trx,
    words,
    (rows) => sql`
    insert into consents (account_id, id, contact_id, action, grade, source, actor, ip, data, at)
    select ${accountId}::bigint, id, contact_id, action, grade, source, actor, ip, data, at
    from jsonb_to_recordset(${rows}::jsonb) as w (
      id uuid, contact_id uuid, action text, grade text, source text, actor text, ip inet, data jsonb, at timestamptz)`,
  )
}

async function writeContacts(
  { trx, accountId }: Writing,
  stories: readonly Story[],
  idOf: ReadonlyMap<Story, string>,
): Promise<void> {
  const contacts = stories.map((story) => ({
    ...{ id: idOf.get(story), email: story.person.email, external_id: story.externalId, state: story.state },
    ...{ state_reason: story.reason, state_before: story.before, state_at: iso(story.stateAt) },
    ...{ fields: story.fields, tags: story.tags, origin: story.person.way === 'api' ? 'api' : 'form' },
    ...{ created_at: iso(story.person.joined), updated_at: iso(story.changedAt) },
  }))
  await inParts(
    trx,
    contacts,
    (rows) => sql`
    insert into contacts as c (account_id, id, email, external_id, state, state_reason, state_before, state_at, fields, tags, origin,
      created_at, updated_at)
    select ${accountId}::bigint, id, email, external_id, state, state_reason, state_before, state_at, fields, tags, origin, created_at,
      updated_at
    from jsonb_to_recordset(${rows}::jsonb) as p (
      id uuid, email text, external_id text, state text, state_reason text, state_before text, state_at timestamptz, fields jsonb,
      tags text[], origin text, created_at timestamptz, updated_at timestamptz)
    on conflict (account_id, id) do update set state = excluded.state, state_reason = excluded.state_reason,
      state_before = excluded.state_before, state_at = greatest(c.state_at, excluded.state_at), fields = excluded.fields,
      tags = excluded.tags, updated_at = greatest(c.updated_at, excluded.updated_at)`,
  )
  const members = stories.flatMap((story) =>
    [...story.lists].map(([list, at]) => ({ list_id: list, contact_id: idOf.get(story), since: iso(at) })),
  )
  await inParts(
    trx,
    members,
    (rows) => sql`
    insert into list_members (account_id, list_id, contact_id, since)
    select ${accountId}::bigint, list_id, contact_id, since
    from jsonb_to_recordset(${rows}::jsonb) as m (list_id bigint, contact_id uuid, since timestamptz)
    on conflict do nothing`,
  )
  const left = stories.flatMap((story) =>
    story.left.map(({ list, at }) => ({
      ...{ list_id: list, contact_id: idOf.get(story), email: story.person.email, at: iso(at) },
    })),
  )
  await inParts(
    trx,
    left,
    (rows) => sql`
    with gone as (
      select * from jsonb_to_recordset(${rows}::jsonb) as l (list_id bigint, contact_id uuid, email text, at timestamptz)
    ), out as (
      delete from list_members as m using gone
      where m.account_id = ${accountId} and m.list_id = gone.list_id and m.contact_id = gone.contact_id
    )
    insert into list_opt_outs (account_id, list_id, email, at) select ${accountId}::bigint, list_id, email, at from gone`,
  )
  const complained = stories.flatMap(({ complained: at, person }) =>
    at === null ? [] : [{ value: person.email, at: iso(at) }],
  )
  await inParts(
    trx,
    complained,
    (rows) => sql`
    insert into suppressions (account_id, kind, value, reason, source, at)
    select ${accountId}::bigint, 'address', value, 'complaint', 'provider:generic', at
    from jsonb_to_recordset(${rows}::jsonb) as s (value text, at timestamptz)`,
  )
}

/** Mails that asked to confirm, with their links, and how often the form was filled: also by those who never confirmed, and are gone. */
async function writeMails(
  writing: Writing,
  stories: readonly Story[],
  idOf: ReadonlyMap<Story, string>,
  mails: ReadonlyMap<number, string>,
): Promise<void> {
  const { trx, keyring, accountId, base, days, now, names } = writing
  const { name: account, settings } = await findAccount(trx, accountId)
  const template = await findTemplate(trx, accountId, CONFIRM_SUBSCRIPTION, settings.language)
  const letterTo = letters(template, { account: { name: account, color: settings.color }, days, request: 'subscribe' })
  const asked = stories.flatMap((story) => story.asked.map((one) => ({ story, ...one })))
  const links: object[] = []
  const messages = asked.map(({ story, at, mail, refused, used }) => {
    const secret = randomBytes(32).toString('base64url')
    if (isLinkKept(at, now, days))
      links.push({
        ...{
          hash: createHash('sha256').update(secret).digest('hex'),
          contact_id: idOf.get(story),
          created_at: iso(at),
        },
        ...{ expires_at: iso(at + days * 86_400_000), used_at: used === null ? null : iso(used) },
        data: { lists: [names.lists.Newsletter], fields: story.fields, form: names.form },
      })
    const email = displayEmail(story.person.email)
    const confirmUrl = `${base}/confirm/${accountId}-${secret}`
    const content = sealLetter(keyring, {
      ...letterTo({ email, firstName: story.person.first_name, confirmUrl }),
      ...{ to: email, fromName: account, types: ['confirmation_sent', 'email_sent'] },
    })
    return {
      ...{
        id: mails.get(mail),
        contact_id: idOf.get(story),
        version: template.version,
        content: content.toString('hex'),
      },
      ...{ phase: refused ? 'failed' : 'sent', error: refused ? 'the mail server answered 550' : null },
      ...{ at: iso(at), sent_at: refused ? null : iso(at + 600) },
    }
  })
  await inParts(
    trx,
    messages,
    (rows) => sql`
    insert into messages (account_id, id, contact_id, template, template_version, phase, content, attempts, error, at, sent_at)
    select ${accountId}::bigint, id, contact_id, ${CONFIRM_SUBSCRIPTION}, version, phase, decode(content, 'hex'), 1, error, at, sent_at
    from jsonb_to_recordset(${rows}::jsonb) as m (
      id uuid, contact_id uuid, version int, phase text, content text, error text, at timestamptz, sent_at timestamptz)`,
  )
  await inParts(
    trx,
    links,
    (rows) => sql`
    insert into confirmations (account_id, hash, contact_id, purpose, mailed, created_at, expires_at, used_at, data)
    select ${accountId}::bigint, decode(hash, 'hex'), contact_id, 'subscribe', true, created_at, expires_at, used_at, data
    from jsonb_to_recordset(${rows}::jsonb) as k (
      hash text, contact_id uuid, created_at timestamptz, expires_at timestamptz, used_at timestamptz, data jsonb)`,
  )
  const counted = asked.flatMap(({ at, used, mail }) => [
    { at: iso(at), sign_ups: 1 + (mail % 7 === 0 ? 1 : 0), confirmed: 0 },
    ...(used === null ? [] : [{ at: iso(used), sign_ups: 0, confirmed: 1 }]),
  ])
  await inParts(
    trx,
    counted,
    (rows) => sql`
    insert into form_counts as n (account_id, form_id, quarter, sign_ups, confirmed)
    select ${accountId}::bigint, ${names.form.id}::bigint, date_bin('15 minutes', at, 'epoch'), sum(sign_ups), sum(confirmed)
    from jsonb_to_recordset(${rows}::jsonb) as c (at timestamptz, sign_ups int, confirmed int) group by 3
    on conflict (account_id, form_id, quarter) do update
      set sign_ups = n.sign_ups + excluded.sign_ups, confirmed = n.confirmed + excluded.confirmed`,
  )
}

/** Makes one mail, and of it those of everybody: to make each by itself takes seconds, and their names are letters alone. */
function letters(template: Source, variables: Variables) {
  const first_name = 'Whoever-it-is'
  const email = 'whoever@demonstration.invalid'
  const confirm_url = 'https://demonstration.invalid/confirm'
  const made = render(template, { ...variables, contact: { email, first_name }, confirm_url })
  return (to: { email: string; firstName: string; confirmUrl: string }): Source => {
    const written = (text: string) =>
      text.replaceAll(first_name, to.firstName).replaceAll(email, to.email).replaceAll(confirm_url, to.confirmUrl)
    return { subject: written(made.subject), html: written(made.html), text: written(made.text) }
  }
}

async function inParts(trx: Trx, rows: readonly object[], statement: (json: string) => Sql): Promise<void> {
  for (let at = 0; at < rows.length; at += AT_ONCE)
    await trx.query(statement(JSON.stringify(rows.slice(at, at + AT_ONCE))))
}

const iso = (at: number) => new Date(at).toISOString()

/** A UUIDv7 of that moment, as new_id() would have made it. */
function idAt(at: number): string {
  const moment = at.toString(16).padStart(12, '0')
  return `${moment.slice(0, 8)}-${moment.slice(8)}-7${randomUUID().slice(15)}`
}
