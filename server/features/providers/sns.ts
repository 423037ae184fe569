import { verify as verifySignature, X509Certificate } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { isObject } from '../../lib/json.ts'
import { Unreadable, Unverified } from './adapters/adapter.ts'
import { parseBody } from './event.ts'
import type { Reach } from './reach.ts'

export interface SnsMessage {
  type: 'Notification' | 'SubscriptionConfirmation' | 'UnsubscribeConfirmation'
  messageId: string
  topicArn: string
  message: string
  /** Of a SubscriptionConfirmation: where it is confirmed. */
  subscribeUrl?: URL
}

/** SNS in any region. Nobody else's host is ever asked, whatever a message says. */
const HOST = /^sns\.[a-z0-9-]+\.amazonaws\.com(\.cn)?$/
const CERTIFICATE = /^\/SimpleNotificationService-[0-9a-zA-Z]+\.pem$/

/** Version 1 is what SNS signs with unless told otherwise. */
const ALGORITHMS: Readonly<Record<string, string>> = { '1': 'RSA-SHA1', '2': 'RSA-SHA256' }

/** What is signed, in this order; Subject only where there is one. */
const SIGNED = {
  Notification: ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type'],
  SubscriptionConfirmation: ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'],
  UnsubscribeConfirmation: ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'],
} as const

const MOST_CERTIFICATES = 100
const KEPT_MS = 3_600_000

/** The certificates that SNS signs with, asked for once an hour. */
export class Certificates {
  readonly #reach: Reach
  readonly #known = new LRUCache<string, X509Certificate>({ max: MOST_CERTIFICATES, ttl: KEPT_MS })

  constructor(reach: Reach) {
    this.#reach = reach
  }

  /** Throws Unverified for what is no certificate of SNS, and `unavailable` when it can not be had. */
  async at(url: URL, now: Date): Promise<X509Certificate> {
    const known = this.#known.get(url.href)
    if (known) return valid(known, now)
    const certificate = parseCertificate(await this.#reach(url))
    if (!/^CN=sns\.([a-z0-9-]+\.)?amazonaws\.com(\.cn)?$/m.test(certificate.subject))
      throw new Unverified('The certificate is not one of Amazon SNS')
    this.#known.set(url.href, certificate)
    return valid(certificate, now)
  }
}

function parseCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch {
    throw new Unverified('The certificate can not be read')
  }
}

function valid(certificate: X509Certificate, now: Date): X509Certificate {
  if (now < certificate.validFromDate || now > certificate.validToDate)
    throw new Unverified('The certificate is not valid now')
  return certificate
}

/** Reads a message of SNS and checks who signed it. Throws Unreadable, Unverified, and `unavailable`. */
export async function openSns(bytes: Uint8Array, certificates: Certificates, now = new Date()): Promise<SnsMessage> {
  const body = parseBody(bytes)
  if (!isObject(body)) throw new Unreadable('The body must be a message of Amazon SNS')
  const told = (name: string): string | undefined => {
    const value = Object.hasOwn(body, name) ? body[name] : undefined
    return typeof value === 'string' ? value : undefined
  }
  const type = told('Type')
  if (type === undefined || !Object.hasOwn(SIGNED, type))
    throw new Unreadable('The body must be a message of Amazon SNS: turn raw message delivery off, as it is not signed')
  const kind = type as SnsMessage['type']
  const fields = SIGNED[kind].filter((name) => name !== 'Subject' || told(name) !== undefined)
  const missing = fields.find((name) => told(name) === undefined)
  if (missing) throw new Unreadable(`The message of Amazon SNS lacks ${missing}`)
  const algorithm = ALGORITHMS[told('SignatureVersion') ?? '']
  if (!algorithm) throw new Unverified('SignatureVersion must be 1 or 2')
  const url = snsUrl(told('SigningCertURL') ?? told('SigningCertUrl'))
  if (!url || !CERTIFICATE.test(url.pathname) || url.search !== '')
    throw new Unverified('SigningCertURL is not an address of Amazon SNS')
  const certificate = await certificates.at(url, now)
  const signed = Buffer.from(fields.map((name) => `${name}\n${told(name)!}\n`).join(''))
  const signature = Buffer.from(told('Signature') ?? '', 'base64')
  if (!verifySignature(algorithm, signed, certificate.publicKey, signature))
    throw new Unverified('The signature of Amazon SNS is not right')
  const message = { type: kind, messageId: told('MessageId')!, topicArn: told('TopicArn')!, message: told('Message')! }
  if (kind !== 'SubscriptionConfirmation') return message
  const subscribeUrl = snsUrl(told('SubscribeURL'))
  if (subscribeUrl?.searchParams.get('Action') !== 'ConfirmSubscription')
    throw new Unverified('SubscribeURL is not an address of Amazon SNS')
  return { ...message, subscribeUrl }
}

/** An https:// address of SNS, with nothing in it that could lead elsewhere. */
function snsUrl(text: string | undefined): URL | undefined {
  if (text === undefined || text.length > 2000 || !URL.canParse(text)) return undefined
  const url = new URL(text)
  const isOne =
    url.protocol === 'https:' &&
    HOST.test(url.hostname) &&
    url.port === '' &&
    url.username === '' &&
    url.password === ''
  return isOne ? url : undefined
}
