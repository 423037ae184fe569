import type { Sql } from 'sql-template-tag'
import { selectShown } from '../server/features/forms/preferences.ts'
import { selectToken } from '../server/features/subscriptions/confirm.ts'
import { readToken } from '../server/features/subscriptions/confirmations.ts'
import { PREFERENCES_LINK, UNSUBSCRIBE_LINK } from '../server/features/subscriptions/links.ts'
import { compare, type Side } from './api.ts'
import { type Lab, openLab, type Program } from './lab.ts'
import { describeMachine } from './machine.ts'
import type { Figure } from './report.ts'

export interface PageOptions {
  rounds: number
  seconds: number
  profileDir?: string | undefined
}

/**
 * Pages for people against the least that could do the same: the bare framework gives the very same answer, headers and all,
 * from memory. Before that it opens the link, runs the one statement that reads what the page shows, or signs the time, where
 * the page does so. It renders, escapes, logs, limits and counts nothing.
 */
export async function benchPages(options: PageOptions): Promise<{ machine: string; figures: Figure[] }> {
  const lab = await openLab(options)
  try {
    const [product, floor] = [await lab.start('api'), await lab.start('floor')]
    const figures: Figure[] = []
    for (const page of await pagesOf(lab, product))
      figures.push(...(await compare(page.name, await sidesOf(page, product, floor), lab, options)))
    return { machine: await describeMachine(lab.db), figures }
  } finally {
    await lab.stop()
  }
}

interface Page {
  name: string
  path: string
  /** What the link was sealed for. */
  opens?: string
  /** What it shows of what is kept. */
  reads?: Sql
  /** Whether it signs when it was shown. */
  signs?: true
}

/** One page of each kind, with as much on it as is usual. */
async function pagesOf({ token }: Lab, { address }: Program): Promise<Page[]> {
  const call = async (method: string, path: string, body?: object) => {
    const headers = { 'api-token': token, 'content-type': 'application/json' }
    const answer = await fetch(`${address}/api${path}`, {
      method,
      headers,
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
    return (await answer.json()) as { id: number; data: { url: string } } & Record<string, string>
  }
  const wayOf = (url: string) => new URL(url).pathname
  const news = (await call('POST', '/contact_lists', { name: 'News', public: true })).id
  await call('POST', '/contact_lists', { name: 'Offers', public: true })
  const fields = [{ field: 'first_name' }, { field: 'last_name' }]
  const form = await call('POST', '/forms', { name: 'Form', list_ids: [news], fields })
  await call('POST', '/contacts', { email: 'ann@example.com', list_ids: [news] })
  await call('POST', '/contacts', { email: 'bob@example.com', unsubscribed: true })
  const links = await call('GET', '/contacts/ann@example.com/links')
  const asked = await call('POST', '/contacts/bob@example.com/resubscribe', { send_confirmation: false })
  const confirm = wayOf(asked.confirmation_url!)
  const named = readToken(confirm.split('/').at(-1)!)!
  return [
    { name: 'sign-up form', path: wayOf(form.data.url), signs: true },
    { name: 'unsubscribe', path: wayOf(links.unsubscribe_url!), opens: UNSUBSCRIBE_LINK },
    { name: 'confirm', path: confirm, reads: selectToken(named.accountId, named.hash) },
    {
      name: 'preferences',
      path: wayOf(links.preferences_url!),
      opens: PREFERENCES_LINK,
      reads: selectShown({ accountId: 1, email: 'ann@example.com' }),
    },
  ]
}

/** What the server adds to each answer, not the page. */
const BY_SERVER = ['connection', 'content-length', 'date', 'keep-alive', 'transfer-encoding']

async function sidesOf({ name, path, opens, reads, signs }: Page, product: Program, floor: Program): Promise<Side[]> {
  const answer = await fetch(product.address + path)
  const headers = Object.fromEntries([...answer.headers].filter(([header]) => !BY_SERVER.includes(header)))
  const copy = `/pages/${encodeURIComponent(name)}`
  const page = {
    body: await answer.text(),
    headers,
    ...(opens ? { opens: { purpose: opens, sealed: path.split('-').slice(1).join('-') } } : {}),
    ...(reads ? { reads: { text: reads.text, values: reads.values.map(portable) } } : {}),
    ...(signs ? { signs: path } : {}),
  }
  await fetch(floor.address + copy, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(page),
  })
  return [
    { name: 'floor', program: floor, next: () => ({ method: 'GET', path: copy, headers: {} }) },
    { name: 'product', program: product, next: () => ({ method: 'GET', path, headers: {} }) },
  ]
}

/** A bound value as JSON carries it; bytes as PostgreSQL writes them. */
function portable(value: unknown): unknown {
  return Buffer.isBuffer(value) ? `\\x${value.toString('hex')}` : value
}
