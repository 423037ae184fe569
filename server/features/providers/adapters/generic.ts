import { timingSafeEqual } from 'node:crypto'
import { isObject } from '../../../lib/json.ts'
import { signedHeaders } from '../../webhooks/signature.ts'
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

const KIND_OF = new Map<unknown, Kind>([
  ['sent', 'sent'],
  ['delivered', 'delivered'],
  ['opened', 'opened'],
  ['clicked', 'clicked'],
  ['complained', 'complained'],
  ['unsubscribed', 'unsubscribed'],
])

/** Standard Webhooks: a message is refused when it was signed longer ago, or later than now, by more than this. */
const SIGNED_WITHIN_MS = 300_000

/** The format of docs/providers.md, for every sender that can be made to post it; signed as Standard Webhooks asks for. */
export const generic: Adapter = {
  usesSecret: true,
  async open(letter) {
    if (letter.signingSecret !== null) verify(letter, letter.signingSecret)
    const items = itemsOf(parseBody(letter.bytes))
    if (!items) throw new Unreadable('The body must be JSON, {"events": […]}: docs/providers.md has an example')
    return readEach(items, read)
  },
}

function verify({ bytes, headers, nowMs }: Letter, secret: string): void {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures } = headers
  const at = Number(timestamp) * 1000
  if (typeof id !== 'string' || typeof signatures !== 'string' || !Number.isSafeInteger(at))
    throw new Unverified('The headers webhook-id, webhook-timestamp and webhook-signature are needed')
  if (Math.abs(nowMs - at) > SIGNED_WITHIN_MS)
    throw new Unverified('webhook-timestamp is more than five minutes away from now: sign each time it is sent')
  const body = Buffer.from(bytes).toString('utf8')
  const expected = Buffer.from(signedHeaders({ id, body }, [secret], at)['webhook-signature']!)
  const given = signatures.split(' ').map((signature) => Buffer.from(signature))
  if (!given.some((one) => one.length === expected.length && timingSafeEqual(one, expected)))
    throw new Unverified('webhook-signature is not right: compare the hook’s signing_secret with the sender’s')
}

function read(item: unknown): ProviderEvent | NotTaken {
  if (!isObject(item)) return refused('is not an object')
  const type = typeof item.type === 'string' ? item.type.replace(/^email_/, '') : undefined
  if (type === undefined) return refused('type is missing')
  const kind = type === 'bounced' ? bounceOf(item.bounce) : KIND_OF.get(type)
  if (kind === null) return refused('bounce must be hard or soft')
  if (kind === undefined) return ignored
  const email = addressFrom(item.email)
  if (email === null) return refused('email is not an address')
  const at = momentFrom(item.at)
  if (at === null) return refused('at must be ISO 8601 such as 2026-11-25T09:30:00Z, or seconds since 1970')
  const id = idFrom(item.id)
  if (id === null) return refused('id is missing: a text of at most 500 characters, the same each time it is told')
  const { message_id, category, reason, url, ip, user_agent } = item
  return {
    ...{ kind, id, email, at },
    messageId: text(message_id),
    isMachine: item.machine === true || isByMachine({ agent: text(user_agent), ip: text(ip) }),
    params: paramsFrom({ message_id, category, reason, url, ip, user_agent }),
  }
}

function bounceOf(word: unknown): Kind | null {
  if (word === 'hard') return 'hard_bounce'
  return word === 'soft' ? 'soft_bounce' : null
}
