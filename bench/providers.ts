import sql from 'sql-template-tag'
import { contactFields, loadContacts } from './dataset.ts'
import { openLab } from './lab.ts'
import { describeMachine } from './machine.ts'
import { digits, type Figure } from './report.ts'
import { median } from './statistics.ts'

const BATCH = 500
const TARGET = 5000
/** Requests at once, as a provider that has much to tell sends. */
const AT_ONCE = 2

export interface ProviderOptions {
  rounds: number
  seconds: number
  contacts: number
  profileDir?: string | undefined
}

/** What a newsletter brings: of ten mails nine are delivered, some opened and clicked, a few bounce or are complained about. */
const MIX = [
  ...Array<string>(10).fill('sent'),
  ...Array<string>(9).fill('delivered'),
  ...Array<string>(4).fill('opened'),
  'clicked',
]

/** Events of a mail provider posted in batches of 500 about people all over a large account. */
export async function benchProviders({
  rounds,
  seconds,
  contacts,
  profileDir,
}: ProviderOptions): Promise<{ machine: string; figures: Figure[] }> {
  const lab = await openLab({ profileDir })
  try {
    await lab.db.query(contactFields(1))
    await loadContacts(lab.db, 1, contacts)
    await lab.db.query({ text: 'vacuum analyze', values: [] })
    const emails = (
      await lab.db.query<{ email: string }>(sql`select email from contacts where account_id = 1 order by id`)
    ).map(({ email }) => email)
    const { address } = await lab.start('api')
    const hook = await fetch(`${address}/api/provider_hooks`, {
      method: 'POST',
      headers: { 'api-token': lab.token, 'content-type': 'application/json' },
      body: JSON.stringify({ provider: 'generic' }),
    })
    const { url } = (await hook.json()) as { url: string }
    const target = address + new URL(url).pathname
    let told = 0
    const batch = () => {
      const events = Array.from({ length: BATCH }, () => {
        const nth = told++
        const mail = nth % contacts
        const email = emails[(mail * 7919) % emails.length]!
        const at = new Date().toISOString()
        if (nth % 1000 === 999) return { id: `e${nth}`, type: 'complained', email, at, message_id: `m${mail}` }
        if (nth % 100 === 99)
          return {
            id: `e${nth}`,
            type: 'bounced',
            bounce: nth % 200 === 99 ? 'hard' : 'soft',
            email,
            at,
            message_id: `m${mail}`,
          }
        return { id: `e${nth}`, type: MIX[nth % MIX.length], email, at, message_id: `m${mail}` }
      })
      return JSON.stringify({ events })
    }
    const post = async () => {
      const headers = { 'content-type': 'application/json' }
      const answer = await fetch(target, { method: 'POST', headers, body: batch() })
      const { recorded } = (await answer.json()) as { recorded: number }
      if (recorded !== BATCH) throw new Error(`${answer.status}: ${recorded} of ${BATCH} recorded`)
      return recorded
    }
    await post()
    const rates: number[] = []
    for (let round = 0; round < rounds; round++) {
      const start = performance.now()
      const end = start + seconds * 1000
      const counts = await Promise.all(
        Array.from({ length: AT_ONCE }, async () => {
          let recorded = 0
          while (performance.now() < end) recorded += await post()
          return recorded
        }),
      )
      rates.push((1000 * counts.reduce((sum, count) => sum + count, 0)) / (performance.now() - start))
    }
    const rate = median(rates)
    return {
      machine: await describeMachine(lab.db),
      figures: [
        {
          what: `events of a mail provider, ${BATCH} a request, ${digits(contacts)} contacts`,
          measured: `${digits(rate)} events a second`,
          floor: '',
          ratio: '',
          target: `≥ ${digits(TARGET)}`,
          met: rate >= TARGET,
        },
      ],
    }
  } finally {
    await lab.stop()
  }
}
