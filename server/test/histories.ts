import assert from 'node:assert/strict'
import fc from 'fast-check'
import sql from 'sql-template-tag'
import { allJobs } from '../worker.ts'
import { type Answer, keyring, type Tenant, type TestApp } from './app.ts'
import { type FormMade, formOf, signUp } from './forms.ts'
import { took } from './imports.ts'
import { confirmationLink, pathOf, press, unsubscribeLink } from './permission.ts'

export const EMAILS = ['a@example.com', 'b@example.com'] as const
const STATES = ['', '', 'subscribed', 'none', 'pending', 'subscribed', 'unsubscribed', 'bounced'] as const

/** By a mail provider. */
const TOLD = ['complained', 'unsubscribed', 'delivered', 'delivered', 'soft', 'soft', 'soft', 'hard'] as const

const email = fc.constantFrom(...EMAILS)
const nth = fc.nat({ max: 5 })
const list = fc.nat({ max: 1 })
const flag = fc.boolean()
const seldom = fc.nat({ max: 4 }).map((n) => n === 0)
const state = fc.constantFrom(...STATES)

const rows = fc.uniqueArray(fc.record({ email, state }), { minLength: 1, maxLength: 2, selector: (row) => row.email })

/** Whatever can happen; `nth` picks somebody who is there, or something that was kept earlier. */
export const act = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('create' as const),
      email,
      list,
      unsubscribed: seldom,
      doubleOptIn: seldom,
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('say' as const), nth, unsubscribed: flag }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('move' as const), nth, to: email, unsubscribed: fc.option(flag) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('join' as const), nth, list }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('import' as const), rows, list, updates: flag }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('rename' as const), nth, to: email, state }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('leave' as const), nth }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('leave list' as const), nth, list }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('keep link' as const), nth, list: fc.option(list) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('follow link' as const), nth }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('ask' as const), nth }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('confirm' as const), nth }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('delete' as const), nth, inBatch: flag }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('bulk' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('tell' as const), email, what: fc.constantFrom(...TOLD) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('revert' as const), nth }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('erase' as const), email }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('sign up' as const), email, optIn: flag }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('merge' as const), list }) },
)
export type Act = typeof act extends fc.Arbitrary<infer Any> ? Any : never

interface Somebody {
  id: string
  email: string
  external_id: string | null
  state: string
  sendable: { allowed: boolean }
  list_ids: number[]
}

/** What people have said by their own acts, told without a database: who has said no, to all mail or to a list. */
export class World {
  readonly made: TestApp
  readonly tenant: Tenant
  readonly lists: number[] = []
  /** Addresses whose last own word is no. */
  readonly no = new Set<string>()
  /** The same of one list, as `LIST ADDRESS`. */
  readonly noList = new Set<string>()
  readonly links: { url: string; id: string; email: string; list: number | null }[] = []
  readonly tokens: { url: string; id: string }[] = []
  readonly imports: number[] = []
  /** One that asks everybody, and one that asks only where it must. */
  readonly forms: FormMade[] = []
  people: Somebody[] = []
  /** Where a mail provider posts. */
  hook = ''
  told = 0

  constructor(made: TestApp, tenant: Tenant) {
    this.made = made
    this.tenant = tenant
  }

  get api(): TestApp {
    const { call } = this.tenant
    return {
      ...this.made,
      ...this.tenant,
      get: (url) => call('GET', url),
      post: (url, body) => call('POST', url, body),
    }
  }

  /** Looks at everyone anew; what somebody has said moves with their address. */
  async look(): Promise<void> {
    const before = new Map(this.people.map((person) => [person.id, person.email]))
    this.people = (await this.tenant.call('GET', '/api/contacts?per_page=100')).body.data as Somebody[]
    for (const { id, email } of this.people) {
      const was = before.get(id)
      if (was === undefined || was === email) continue
      if (this.no.has(was)) this.no.add(email)
      for (const listId of this.lists) if (this.noList.delete(`${listId} ${was}`)) this.noList.add(`${listId} ${email}`)
    }
  }

  check(after: string): void {
    for (const { email, sendable, list_ids, state } of this.people) {
      assert.ok(!(sendable.allowed && this.no.has(email)), `${email} is ${state} after ${after}, and has said no`)
      for (const listId of list_ids)
        assert.ok(!this.noList.has(`${listId} ${email}`), `${email} is in ${listId} after ${after}, and has left it`)
    }
  }

  async run(act: Act): Promise<void> {
    const { call } = this.tenant
    const contact =
      'nth' in act
        ? this.people[act.nth % this.people.length]
        : this.people.find(({ email }) => 'email' in act && email === act.email)
    const at = `/api/contacts/${contact?.email}`
    switch (act.do) {
      case 'create': {
        const { email, unsubscribed, doubleOptIn: double_opt_in } = act
        const external_id = `e-${email}-${this.people.length}-${this.imports.length}`
        const list_ids = [this.lists[act.list]]
        await call('POST', '/api/contacts', {
          email,
          external_id,
          list_ids,
          double_opt_in,
          ...(unsubscribed && { unsubscribed }),
        })
        break
      }
      case 'say':
        if (contact) await call('PATCH', at, { unsubscribed: act.unsubscribed })
        break
      case 'move':
        if (contact)
          await call('PATCH', at, {
            email: act.to,
            ...(act.unsubscribed !== null && { unsubscribed: act.unsubscribed }),
          })
        break
      case 'join':
        if (contact)
          await call('POST', `/api/contact_lists/${this.lists[act.list]}/contacts`, { contact_ids: [contact.id] })
        break
      case 'import': {
        const file = `email,state\n${act.rows.map((row) => `${row.email},${row.state}`).join('\n')}\n`
        const options = { update_existing: String(act.updates), list_id: String(this.lists[act.list]) }
        this.imports.push((await took(this.api, file, options)).id)
        break
      }
      case 'rename': {
        const known = this.people.filter(({ external_id }) => external_id !== null)
        const { external_id } = known[act.nth % known.length] ?? {}
        if (!external_id) break
        const file = `external_id,email,state\n${external_id},${act.to},${act.state}\n`
        this.imports.push((await took(this.api, file, { match_by: 'external_id', update_existing: 'true' })).id)
        break
      }
      case 'leave':
        if (contact) this.said(await call('POST', `${at}/unsubscribe`), () => this.no.add(contact.email))
        break
      case 'leave list': {
        const list_id = this.lists[act.list]!
        const left = () => this.noList.add(`${list_id} ${contact?.email}`)
        if (contact) this.said(await call('POST', `${at}/unsubscribe`, { list_id }), left)
        break
      }
      case 'keep link': {
        if (!contact) break
        const listId = act.list === null ? null : this.lists[act.list]!
        const url = await unsubscribeLink(this.tenant, contact.id, listId ?? undefined)
        this.links.push({ url, id: contact.id, email: contact.email, list: listId })
        break
      }
      case 'follow link': {
        const link = this.links[act.nth % this.links.length]
        if (!link) break
        const now = this.people.find(({ id }) => id === link.id)?.email ?? link.email
        this.said(await press(this.made, link.url), () => {
          for (const address of [link.email, now])
            if (link.list === null) this.no.add(address)
            else this.noList.add(`${link.list} ${address}`)
        })
        break
      }
      case 'ask':
        if (contact && contact.state !== 'subscribed')
          this.tokens.push({ url: await confirmationLink(this.tenant, contact.id), id: contact.id })
        break
      case 'confirm': {
        const token = this.tokens[act.nth % this.tokens.length]
        if (!token) break
        const answer = await press(this.made, token.url)
        const person = this.people.find(({ id }) => id === token.id)
        if (answer.status === 200) this.no.delete(person!.email)
        break
      }
      case 'erase':
        this.said(await call('DELETE', `/api/contacts/${act.email}/gdpr_delete`), () => this.no.add(act.email))
        await runAtOnce(this.made)
        // Of someone who is forgotten, what they had left is forgotten as well: under whatever addresses they had.
        for (const who of [...this.noList])
          if (!this.people.some(({ email, id }) => id !== contact?.id && who.endsWith(` ${email}`)))
            this.noList.delete(who)
        break
      case 'sign up':
        // By anyone who can type the address: no word of theirs.
        await signUp(this.made, this.forms[Number(act.optIn)]!, { email: act.email })
        break
      case 'merge': {
        const gone = this.lists[act.list]!
        const { id } = (await call('POST', '/api/contact_lists', { name: `Merged ${gone}` })).body
        const { status } = await call('POST', `/api/contact_lists/${id}/merge`, { list_ids: [gone] })
        assert.equal(status, 200)
        this.lists[act.list] = id
        for (const who of [...this.noList])
          if (who.startsWith(`${gone} `)) this.noList.add(`${id} ${who.split(' ')[1]}`)
        break
      }
      case 'delete':
        if (contact && act.inBatch) await call('DELETE', '/api/contacts/batch', { contact_ids: [contact.id] })
        else if (contact) await call('DELETE', at)
        break
      case 'tell': {
        const { email, what } = act
        const isBounce = what === 'soft' || what === 'hard'
        const event = { id: `t${this.told++}`, email, at: new Date().toISOString(), type: isBounce ? 'bounced' : what }
        const answer = await call('POST', this.hook, isBounce ? { ...event, bounce: what } : event)
        this.said(answer, () => {
          if (what === 'complained' || what === 'unsubscribed') this.no.add(email)
        })
        break
      }
      case 'bulk':
        await call('POST', '/api/contacts/bulk', { selection: {}, action: { type: 'unsubscribe' } })
        await runAtOnce(this.made)
        break
      case 'revert': {
        const id = this.imports[act.nth % this.imports.length]
        if (id === undefined) break
        await call('POST', `/api/change_sets/${id}/revert`)
        await runAtOnce(this.made)
        break
      }
    }
    await this.look()
  }

  /** A word counts when it was taken; that it always is, is part of the promise. */
  said({ status, body }: Answer, note: () => void): void {
    assert.equal(status, 200, JSON.stringify(body))
    note()
  }
}

/** Does what waits in the queue without a worker, which looks there twice a second. */
async function runAtOnce({ db, files, filesAt, queue, config }: TestApp): Promise<void> {
  const jobs = allJobs({ db, files, filesAt, queue, keyring, config })
  for (;;) {
    const [next] = await db.query<{ name: string; data: never }>(sql`
      delete from pgboss.job where id = (select id from pgboss.job where state = 'created' limit 1) returning name, data`)
    if (!next) return
    await jobs.find(({ name }) => name === next.name)!.run(next.data, new AbortController().signal)
  }
}

/** Of a service in which histories come one after another. */
export const LIMITS = { FORM_RATE_LIMIT: '0', RATE_LIMIT: '0' }

export async function newWorld(made: TestApp): Promise<World> {
  const world = new World(made, await made.another())
  for (const name of ['News', 'Offers'])
    world.lists.push((await world.tenant.call('POST', '/api/contact_lists', { name })).body.id)
  for (const double_opt_in of [false, true]) world.forms.push(await formOf(world.tenant, { double_opt_in }))
  await world.tenant.call('PATCH', '/api/account', { soft_bounce_limit: 2 })
  world.hook = pathOf((await world.tenant.call('POST', '/api/provider_hooks', { provider: 'generic' })).body.url)
  return world
}
