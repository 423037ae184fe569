import type { EventType } from '../features/activity/event-types.ts'
import type { Act } from '../features/activity/record.ts'
import { DAY_MS, HOUR_MS, mixer, type Person, PLANS } from './people.ts'

/*
 * What happened to each of the people, from their first day to now: the acts as the service would have recorded them, and what
 * they have left in the other tables. Nothing here knows a database.
 */

const MINUTE_MS = 60_000

/** Since when the mail provider tells what becomes of mails, and smart lists tell who moves: in days before today. */
export const TOLD_DAYS = 150
/** Newsletters, in days before today. */
const CAMPAIGNS = [
  { daysAgo: 110, name: 'A look behind the scenes' },
  { daysAgo: 89, name: 'Tips for your team' },
  { daysAgo: 68, name: 'Stories from customers' },
  { daysAgo: 47, name: 'What is new' },
  { daysAgo: 26, name: 'The year so far' },
  { daysAgo: 5, name: 'Join us at the fair' },
] as const
/** Who has not confirmed by then is removed: of those who came earlier, all who are there have confirmed. */
const UNCONFIRMED_DAYS = 25
/** Used links are known for so long. */
const LINKS_DAYS = 30

const ENGAGED_DAYS = 30
const QUIET_DAYS = 60
const LARGE_SEATS = 20
const BIRTHDAY_DAYS = 7

/** Names of what people are in, by what they have here. */
export interface Names {
  lists: Readonly<Record<string, number>>
  smart: Readonly<Record<'engaged' | 'quiet' | 'large' | 'birthday', number>>
  /** Fields by merge tag: under which key a contact has the value. */
  keys: Readonly<Record<string, string>>
  form: { id: number; version: number }
  hook: number
  account: string
  wording: { form: string; confirm: string; leave: string }
}

export interface Told extends Required<Pick<Act, 'types' | 'data'>> {
  at: number
  name?: string
}

export interface Word {
  at: number
  action: 'granted' | 'withdrawn'
  grade: 'observed' | 'asserted'
  source: string
  actor: string
  ip: string | null
  data: Record<string, unknown>
}

/** A mail by which somebody was asked to confirm. */
export interface Asked {
  at: number
  /** In place of a UUID, which is made of it. */
  mail: number
  refused: boolean
  used: number | null
}

/** All of one person. */
export interface Story {
  person: Person
  /** How they are now. */
  state: 'pending' | 'subscribed' | 'unsubscribed' | 'bounced'
  reason: string
  before: string | null
  stateAt: number
  changedAt: number
  externalId: string | null
  fields: Record<string, unknown>
  tags: string[]
  /** When they came into each list. */
  lists: Map<number, number>
  left: { list: number; at: number }[]
  acts: Told[]
  words: Word[]
  asked: Asked[]
  /** When they complained. */
  complained: number | null
}

/** @param now Nothing happens later. */
export function* stories(people: Iterable<Person>, names: Names, today: number, now: number): Generator<Story> {
  const random = mixer(42)
  let mails = 0
  for (const person of people) {
    const life = new Life(person, names, now, random)
    life.arrive(today, () => ++mails)
    life.grow(today)
    life.getMail(today)
    life.visit(today)
    life.tellOfLists(today - TOLD_DAYS * DAY_MS)
    yield life.story()
  }
}

class Life {
  readonly #person: Person
  readonly #names: Names
  readonly #now: number
  readonly #random: () => number
  readonly #story: Story
  readonly #opens: number[] = []
  readonly #visits: number[] = []
  /** Since when they use the product, pay for it, and are a large team. */
  #productAt = Number.POSITIVE_INFINITY
  #customerAt = Number.POSITIVE_INFINITY
  #largeAt = Number.POSITIVE_INFINITY

  constructor(person: Person, names: Names, now: number, random: () => number) {
    this.#person = person
    this.#names = names
    this.#now = now
    this.#random = random
    this.#story = {
      ...{
        person,
        state: 'subscribed',
        reason: 'caller',
        before: null,
        stateAt: person.joined,
        changedAt: person.joined,
      },
      externalId: person.way === 'form' ? null : person.external_id,
      ...{ fields: {}, tags: [], lists: new Map(), left: [], acts: [], words: [], asked: [], complained: null },
    }
  }

  story(): Story {
    this.#story.acts.sort((a, b) => a.at - b.at)
    return this.#story
  }

  /** By one of the three ways. Of those who came by a file, the import has told all of this. */
  arrive(today: number, nextMail: () => number): void {
    const { way, joined, tags, lists } = this.#person
    if (way === 'form') {
      this.#signUp(today, nextMail)
      return
    }
    this.#story.fields = this.#values(OF_PRODUCT)
    this.#story.tags = tags
    for (const list of lists) this.#story.lists.set(this.#names.lists[list]!, joined)
    this.#begin(joined)
    if (way !== 'api') {
      this.#story.reason = 'import'
      return
    }
    const data = {
      ...{ origin: 'api', email: { to: this.#person.email }, state: { to: 'subscribed' } },
      ...{ external_id: { to: this.#person.external_id }, fields: changes(this.#story.fields), tags: { added: tags } },
      lists: { added: [...this.#story.lists.keys()] },
    }
    this.#tell(joined, ['created', 'subscribed', 'list_added'], data)
    this.#say(joined, 'granted', { grade: 'asserted', source: 'api', actor: 'system', ip: null, data: {} })
  }

  #signUp(today: number, nextMail: () => number): void {
    const { joined, email } = this.#person
    const { form, lists, wording } = this.#names
    const list = lists.Newsletter!
    const fields = this.#values(OF_FORM)
    this.#story.fields = fields
    Object.assign(this.#story, { state: 'pending', reason: 'form' })
    const started = { origin: 'form', form, email: { to: email }, state: { to: 'pending' }, fields: changes(fields) }
    this.#tell(joined, ['created'], started)
    const isRecent = joined > today - UNCONFIRMED_DAYS * DAY_MS
    const luck = this.#random()
    const refused = isRecent && luck < 0.03
    const isSlow = this.#random() < 0.2
    const wait = isSlow ? this.#random() * 2 * DAY_MS : MINUTE_MS * (1 + 40 * this.#random() ** 3)
    const confirmed = Math.floor(joined + wait)
    const confirms = !refused && !(isRecent && luck < 0.16) && confirmed < this.#now
    const mail = nextMail()
    this.#story.asked.push({ at: joined + 900, mail, refused, used: confirms ? confirmed : null })
    if (!refused)
      this.#tell(joined + 1500, ['confirmation_sent', 'email_sent'], {
        ...{ message_id: mail, template: 'confirm_subscription', version: 0 },
      })
    if (!confirms) return
    this.#become('subscribed', 'confirmed', null, confirmed)
    this.#tell(confirmed, ['subscribed'], {
      state: { from: 'pending', to: 'subscribed' },
      state_reason: { to: 'confirmed' },
    })
    this.#story.lists.set(list, confirmed)
    this.#tell(confirmed + 1, ['list_added'], { lists: { added: [list] }, form })
    const ip = this.#address()
    const shown = { wording: wording.form, language: 'en', submitted_at: new Date(joined).toISOString() }
    const data = {
      ...{ wording: wording.confirm, language: 'en', user_agent: BROWSER },
      form: { id: form.id, version: form.version, ip, ...shown, user_agent: BROWSER },
    }
    const seen = { grade: 'observed', source: 'confirm_page', actor: 'person', ip } as const
    this.#say(confirmed, 'granted', { ...seen, data })
    this.#say(confirmed + 1, 'granted', { ...seen, data: { ...data, list_id: list } })
  }

  /** Who came by the form begins to use the product, and some go from the free plan to one that is paid. */
  grow(today: number): void {
    const { way, joined, external_id: externalId, tags } = this.#person
    if (way === 'form') {
      const at = joined + Math.floor((0.2 + this.#random() * 20) * DAY_MS)
      if (at >= this.#now || this.#story.state === 'pending') return
      const fields = this.#values(ONLY_PRODUCT)
      this.#story.externalId = externalId
      Object.assign(this.#story.fields, fields)
      this.#story.tags = tags
      const data = { external_id: { to: externalId }, fields: changes(fields), tags: { added: tags } }
      this.#change(at, ['updated'], data)
      this.#begin(at)
    }
    if (this.#person.plan !== 'Free' || this.#random() > 0.12) return
    const at = Math.floor(today - this.#random() * 200 * DAY_MS)
    if (!(at > this.#productAt + DAY_MS) || at >= this.#now) return
    const { plan, seats } = this.#names.keys
    const chosen = PLANS[1 + Math.floor(this.#random() * 3)]!
    const team = chosen === 'Starter' ? 3 : 2 + Math.floor(this.#random() * 40)
    const fields = { [plan!]: { from: 'Free', to: chosen }, [seats!]: { from: 1, to: team } }
    Object.assign(this.#story.fields, { [plan!]: chosen, [seats!]: team })
    this.#story.tags = [...this.#story.tags.filter((tag) => tag !== 'lead'), 'customer']
    this.#change(at, ['updated'], { fields, tags: { added: ['customer'], removed: ['lead'] } })
    this.#customerAt = at
    if (chosen !== 'Starter' && team >= LARGE_SEATS) this.#largeAt = at
  }

  /** Newsletters: what became of each, and who bounced, complained, or left by it. */
  getMail(today: number): void {
    const list = this.#names.lists.Newsletter!
    const { interest } = this.#person
    for (const { daysAgo, name } of CAMPAIGNS) {
      const sent = today - daysAgo * DAY_MS + 9 * HOUR_MS
      const since = this.#story.lists.get(list)
      if (this.#story.state !== 'subscribed' || since === undefined || since >= sent || sent >= this.#now) continue
      const params = { provider: 'generic', campaign: name }
      const told = (at: number, type: EventType, more: Record<string, unknown> = {}) =>
        this.#tell(at, [type], { params: { ...params, ...more }, hook_id: this.#names.hook })
      told(sent + Math.floor(this.#random() * 5 * MINUTE_MS), 'email_sent')
      const arrived = sent + Math.floor((6 + this.#random() * 4) * MINUTE_MS)
      if (this.#random() < 0.011) {
        this.#bounce(arrived, params)
        continue
      }
      told(arrived, 'email_delivered')
      const opened = Math.floor(arrived + MINUTE_MS + this.#random() ** 3 * 4 * DAY_MS)
      if (this.#random() > 0.15 + interest * 0.5 || opened >= this.#now) continue
      told(opened, 'email_opened')
      this.#opens.push(opened)
      if (this.#random() < interest * 0.3) told(opened + 40_000, 'email_clicked', { url: 'https://example.com/read' })
      const luck = this.#random()
      const after = opened + 90_000
      if (after >= this.#now) continue
      if (luck < 0.0015) this.#complain(after, params)
      else if (luck < 0.014) this.#leave(after)
      else if (luck < 0.022) this.#leaveList(after)
    }
  }

  visit(today: number): void {
    const { interest } = this.#person
    const count = this.#customerAt === Number.POSITIVE_INFINITY && this.#random() < 0.7 ? 0 : interest * 8
    for (let visit = 0; visit < Math.floor(this.#random() * count); visit++) {
      const daysAgo = this.#random() * 180
      const at = Math.floor(today - daysAgo * DAY_MS)
      if (at < this.#productAt) continue
      this.#tell(at, ['custom'], { params: { device: this.#random() < 0.7 ? 'web' : 'phone' } }, 'UserLogin')
      this.#visits.push(at)
    }
    const bought = Math.floor(this.#customerAt + this.#random() * 5 * DAY_MS)
    if (bought >= this.#now || this.#random() < 0.5) return
    const seats = Number(this.#story.fields[this.#names.keys.seats!] ?? 1)
    this.#tell(bought, ['custom'], { params: { amount: seats * 12, currency: 'EUR' } }, 'Purchase')
  }

  /** Who entered and left the smart lists since they are there, as their criteria have it. */
  tellOfLists(since: number): void {
    const { engaged, quiet, large, birthday } = this.#names.smart
    const opens = this.#opens.toSorted((a, b) => a - b)
    const visits = this.#visits.toSorted((a, b) => a - b)
    const within = (moments: readonly number[], at: number, days: number) =>
      moments.some((moment) => moment <= at && dayOf(at) - dayOf(moment) <= days * DAY_MS)
    // A window is whole days: today, and so many before.
    const after = (moments: readonly number[], days: number) => moments.map((at) => dayOf(at) + (days + 1) * DAY_MS)
    this.#follow(engaged, since, [...opens, ...after(opens, ENGAGED_DAYS)], (at) => within(opens, at, ENGAGED_DAYS))
    const times = [this.#customerAt, ...visits, ...after(visits, QUIET_DAYS)]
    const isQuiet = (at: number) => at >= this.#customerAt && !within(visits, at, QUIET_DAYS)
    this.#follow(quiet, since, times, isQuiet)
    this.#follow(large, since, [this.#largeAt], (at) => at >= this.#largeAt)
    const days = this.#birthdays(since)
    const from = this.#productAt // then their birthday is known
    const isBirthday = (at: number) =>
      at >= from && days.some((day) => at >= day - BIRTHDAY_DAYS * DAY_MS && at < day + DAY_MS)
    this.#follow(
      birthday,
      since,
      [from, ...days.flatMap((day) => [day - BIRTHDAY_DAYS * DAY_MS, day + DAY_MS])],
      isBirthday,
    )
  }

  #birthdays(since: number): number[] {
    const [, month, day] = this.#person.birthday.split('-').map(Number)
    const first = new Date(since).getUTCFullYear()
    return [0, 1, 2].map((more) => Date.UTC(first + more, month! - 1, day))
  }

  /** Tells of one smart list, where at these times somebody may have come in or gone. */
  #follow(list: number, since: number, times: readonly number[], isIn: (at: number) => boolean): void {
    const moments = [...new Set(times)].filter((at) => at > since && at < this.#now).sort((a, b) => a - b)
    let was = isIn(since)
    let last = since
    for (const at of moments) {
      const is = isIn(at)
      if (is === was) continue
      was = is
      const byClock = at !== this.#person.joined && !this.#story.acts.some((act) => act.at === at)
      // What time alone brings is told with the next look at the clock; of a file, once it is in.
      const isFile = at === this.#person.joined && typeof this.#person.way === 'number'
      last = Math.max(last + 1, Math.min(at + (byClock ? MINUTE_MS : isFile ? 20_000 : 150), this.#now - 1))
      const data = { cause: byClock ? 'clock' : 'act', smart_lists: is ? { entered: [list] } : { left: [list] } }
      this.#tell(last, [is ? 'list_entered' : 'list_left'], data)
    }
  }

  #begin(at: number): void {
    const { plan, seats } = this.#person
    this.#productAt = at
    if (plan !== 'Free') this.#customerAt = at
    if ((plan === 'Team' || plan === 'Enterprise') && seats >= LARGE_SEATS) this.#largeAt = at
  }

  #bounce(at: number, params: Record<string, unknown>): void {
    this.#become('bounced', 'bounce', 'subscribed', at)
    this.#tell(at, ['updated', 'email_bounced'], {
      ...{ state: { from: 'subscribed', to: 'bounced' }, state_reason: { to: 'bounce' } },
      ...{ params: { ...params, bounce: 'hard' }, hook_id: this.#names.hook },
    })
  }

  #complain(at: number, params: Record<string, unknown>): void {
    this.#become('unsubscribed', 'complaint', null, at)
    this.#story.complained = at
    this.#tell(at, ['unsubscribed', 'email_complained'], {
      ...{ state: { from: 'subscribed', to: 'unsubscribed' }, state_reason: { to: 'complaint' } },
      ...{ params, hook_id: this.#names.hook },
    })
    const data = {
      kind: 'complained',
      event_id: `demo-${this.#person.external_id}`,
      told_at: new Date(at).toISOString(),
    }
    this.#say(at, 'withdrawn', {
      ...{ grade: 'asserted', source: 'provider:generic', actor: `hook:${this.#names.hook}`, ip: null, data },
    })
  }

  #leave(at: number): void {
    this.#become('unsubscribed', 'person', null, at)
    const data = { state: { from: 'subscribed', to: 'unsubscribed' }, state_reason: { to: 'person' } }
    this.#tell(at, ['unsubscribed'], data)
    this.#say(at, 'withdrawn', this.#onPage())
  }

  /** They leave the one list and stay for the rest. */
  #leaveList(at: number): void {
    const list = this.#names.lists.Newsletter!
    this.#story.lists.delete(list)
    this.#story.left.push({ list, at })
    this.#tell(at, ['list_removed'], { opted_out: [list], lists: { removed: [list] } })
    const seen = this.#onPage()
    this.#say(at, 'withdrawn', { ...seen, data: { ...seen.data, list_id: list } })
  }

  #onPage(): Omit<Word, 'at' | 'action'> {
    const isButton = this.#random() < 0.4
    return {
      ...{
        grade: 'observed',
        source: isButton ? 'one_click' : 'unsubscribe_page',
        actor: 'person',
        ip: this.#address(),
      },
      data: isButton ? {} : { wording: this.#names.wording.leave, language: 'en', user_agent: BROWSER },
    }
  }

  #become(state: Story['state'], reason: string, before: string | null, at: number): void {
    Object.assign(this.#story, { state, reason, before, stateAt: at })
    this.#story.changedAt = Math.max(this.#story.changedAt, at)
  }

  #change(at: number, types: EventType[], data: Told['data']): void {
    this.#tell(at, types, data)
    this.#story.changedAt = Math.max(this.#story.changedAt, at)
  }

  #tell(at: number, types: EventType[], data: Told['data'], name?: string): void {
    this.#story.acts.push({ at, types, data, ...(name === undefined ? {} : { name }) })
  }

  #say(at: number, action: Word['action'], word: Omit<Word, 'at' | 'action'>): void {
    this.#story.words.push({ at, action, ...word })
  }

  #values(tags: readonly (keyof Person)[]): Record<string, unknown> {
    const given = tags.map((tag) => [this.#names.keys[tag]!, this.#person[tag]] as const)
    return Object.fromEntries(given.filter(([, value]) => value !== ''))
  }

  /** Of a network that is for examples. */
  #address(): string {
    return `198.51.100.${1 + Math.floor(this.#random() * 254)}`
  }
}

const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
const OF_FORM = ['first_name', 'last_name', 'company', 'city'] as const
const ONLY_PRODUCT = ['plan', 'seats', 'birthday'] as const
const OF_PRODUCT = [...OF_FORM, ...ONLY_PRODUCT] as const

const dayOf = (at: number) => Math.floor(at / DAY_MS) * DAY_MS

const changes = (fields: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(fields).map(([key, to]) => [key, { to }]))

/** Whether a link of then is still known. */
export const isLinkKept = (at: number, now: number, days: number) => at > now - (LINKS_DAYS + days) * DAY_MS
