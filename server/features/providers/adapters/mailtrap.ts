import { createHmac, timingSafeEqual } from 'node:crypto'
import { isObject } from '../../../lib/json.ts'
import {
  addressFrom,
  idFrom,
  ignored,
  itemsOf,
  type Kind,
  momentFrom,
  type NotTaken,
  type ProviderEvent,
  paramsFrom,
  parseBody,
  readEach,
  refused,
  text,
} from '../event.ts'
import { isByMachine } from '../machine.ts'
import { type Adapter, type Letter, Unreadable, Unverified } from './adapter.ts'

/** Mailtrap's words; `suspension` and `reject` tell of mails that never left. */
const KIND_OF = new Map<unknown, Kind>([
  ['delivery', 'delivered'],
  ['open', 'opened'],
  ['click', 'clicked'],
  ['bounce', 'hard_bounce'],
  ['soft bounce', 'soft_bounce'],
  ['soft_bounce', 'soft_bounce'],
  ['spam', 'complained'],
  ['spam complaint', 'complained'],
  ['spam_complaint', 'complained'],
  ['unsubscribe', 'unsubscribed'],
])

/** Mailtrap's webhooks, as JSON or JSON Lines, signed by an HMAC-SHA256 of the body in hexadecimal digits. */
export const mailtrap: Adapter = {
  usesSecret: true,
  async open(letter) {
    if (letter.signingSecret !== null) verify(letter, letter.signingSecret)
    const items = itemsOf(parseBody(letter.bytes))
    if (!items) throw new Unreadable('The body must be JSON, {"events": […]}, or JSON Lines, one event a line')
    return readEach(items, read)
  },
}

function verify({ bytes, headers }: Letter, secret: string): void {
  const given = headers['mailtrap-signature']
  const expected = createHmac('sha256', secret).update(bytes).digest()
  const read = typeof given === 'string' && /^[0-9a-f]{64}$/i.test(given) ? Buffer.from(given, 'hex') : undefined
  if (!read || !timingSafeEqual(read, expected))
    throw new Unverified(
      'The header Mailtrap-Signature is missing or not right: compare the hook’s signing_secret with the webhook’s',
    )
}

function read(item: unknown): ProviderEvent | NotTaken {
  if (!isObject(item)) return refused('is not an object')
  const kind = KIND_OF.get(item.event)
  if (!kind) return typeof item.event === 'string' ? ignored : refused('has no event')
  const email = addressFrom(item.email)
  if (email === null) return refused('email is not an address')
  const at = momentFrom(item.timestamp)
  if (at === null) return refused('timestamp must be seconds since 1970')
  const id = idFrom(item.event_id)
  if (id === null) return refused('event_id is missing')
  const { message_id, category, response, response_code, bounce_category, url, ip, user_agent } = item
  return {
    ...{ kind, id, email, at },
    messageId: text(message_id),
    isMachine: isByMachine({ agent: text(user_agent), ip: text(ip) }),
    params: paramsFrom({ message_id, category, response, response_code, bounce_category, url, ip, user_agent }),
  }
}
