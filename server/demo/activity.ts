import type { Act } from '../features/activity/record.ts'
import { mixer, type Person } from './people.ts'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000

const MONTHS = 8
const CAMPAIGNS = ['What is new', 'Stories from customers', 'Tips for your team', 'A look behind the scenes']

/** What people did in the last months, in the order in which it happened: mails sent, opened and clicked, visits, purchases. */
export function activityOf(people: readonly Person[], idOf: (person: Person) => string, today: number): Act[] {
  const random = mixer(42)
  const acts: (Act & { at: Date })[] = []
  const add = (person: Person, at: number, act: Pick<Act, 'types' | 'data'> & { name?: string }) => {
    if (at >= person.created_at && at < today) acts.push({ contactId: idOf(person), at: new Date(at), ...act })
  }
  for (let month = MONTHS; month >= 1; month--) {
    const sentAt = today - (month * 30 - 20) * DAY_MS + 9 * HOUR_MS
    const params = { campaign: CAMPAIGNS[month % CAMPAIGNS.length]!, month: new Date(sentAt).toISOString().slice(0, 7) }
    for (const person of people) {
      if (person.state === 'bounced' || random() > 0.5) continue
      add(person, sentAt, { types: ['email_sent'], name: 'email_sent', data: { params } })
      if (random() > person.interest * 0.8) continue
      const openedAt = sentAt + Math.floor(random() ** 3 * 4 * DAY_MS)
      add(person, openedAt, { types: ['email_opened'], name: 'email_opened', data: { params } })
      if (random() < person.interest * 0.35)
        add(person, openedAt + 40_000, {
          types: ['email_clicked'],
          name: 'email_clicked',
          data: { params: { ...params, url: 'https://example.com/read' } },
        })
    }
  }
  for (const person of people) {
    if (person.plan === 'Free' && random() < 0.7) continue
    const visits = Math.floor(random() * person.interest * 8)
    for (let visit = 0; visit < visits; visit++)
      add(person, today - Math.floor(random() * 180 * DAY_MS), {
        types: ['custom'],
        name: 'UserLogin',
        data: { params: { device: random() < 0.7 ? 'web' : 'phone' } },
      })
    if (person.plan !== 'Free' && random() < 0.5)
      add(person, today - Math.floor(random() * 200 * DAY_MS), {
        types: ['custom'],
        name: 'Purchase',
        data: { params: { amount: person.seats * 12, currency: 'EUR' } },
      })
  }
  return acts.sort((a, b) => a.at.getTime() - b.at.getTime())
}
