import { isObject } from '../../../lib/json.ts'
import {
  addressFrom,
  idFrom,
  ignored,
  type Kind,
  momentFrom,
  type NotTaken,
  type ProviderEvent,
  paramsFrom,
  readEach,
  refused,
  text,
} from '../event.ts'
import { isByMachine } from '../machine.ts'
import { openSns } from '../sns.ts'
import type { Adapter } from './adapter.ts'

/** Amazon SES behind SNS: event publishing of a configuration set, and the notifications of an identity. */
export const ses: Adapter = {
  usesSecret: false,
  async open({ bytes }, certificates) {
    const { type, topicArn, messageId, subscribeUrl, message } = await openSns(bytes, certificates)
    const nothing = { events: [], ignored: 0, refused: 0, problems: [] }
    if (type === 'SubscriptionConfirmation') return { ...nothing, topicArn, confirmUrl: subscribeUrl! }
    if (type === 'UnsubscribeConfirmation') return { ...nothing, topicArn }
    return { ...readEach([message], (told) => readMessage(told, messageId)), topicArn }
  },
}

/** Where an event's own part stands, whom it names there, and what is kept of it. */
interface Form {
  kind: (part: Record<string, unknown>) => Kind | undefined
  part: string
  recipients?: string
  params: readonly string[]
}

const always = (kind: Kind) => () => kind
const FORMS: Readonly<Record<string, Form>> = {
  Send: { kind: always('sent'), part: 'send', params: [] },
  Delivery: { kind: always('delivered'), part: 'delivery', recipients: 'recipients', params: ['smtpResponse'] },
  Open: { kind: always('opened'), part: 'open', params: ['ipAddress', 'userAgent'] },
  Click: { kind: always('clicked'), part: 'click', params: ['ipAddress', 'userAgent', 'link'] },
  Bounce: {
    // What is neither permanent nor transient could not be told by SES: it counts as what may pass.
    kind: ({ bounceType }) => (bounceType === 'Permanent' ? 'hard_bounce' : 'soft_bounce'),
    part: 'bounce',
    recipients: 'bouncedRecipients',
    params: ['bounceType', 'bounceSubType'],
  },
  Complaint: {
    kind: always('complained'),
    part: 'complaint',
    recipients: 'complainedRecipients',
    params: ['complaintFeedbackType', 'complaintSubType'],
  },
  Subscription: {
    kind: ({ newTopicPreferences: now }) => (isObject(now) && now.unsubscribeAll === true ? 'unsubscribed' : undefined),
    part: 'subscription',
    params: [],
  },
}

/** Names that other providers' events have as well. */
const PARAM_NAMES: Readonly<Record<string, string>> = {
  ipAddress: 'ip',
  userAgent: 'user_agent',
  link: 'url',
  smtpResponse: 'response',
  bounceType: 'bounce_type',
  bounceSubType: 'bounce_sub_type',
  complaintFeedbackType: 'feedback_type',
  complaintSubType: 'complaint_sub_type',
}

function readMessage(message: string, snsId: string): (ProviderEvent | NotTaken)[] {
  let told: unknown
  try {
    told = JSON.parse(message)
  } catch {
    return [ignored] // what SES says in words, such as that publishing has been set up
  }
  if (!isObject(told)) return [refused('the message is not an object')]
  const type = told.eventType ?? told.notificationType
  if (typeof type !== 'string') return [refused('has neither eventType nor notificationType')]
  const form = Object.hasOwn(FORMS, type) ? FORMS[type] : undefined
  if (!form) return [ignored]
  const part = isObject(told[form.part]) ? (told[form.part] as Record<string, unknown>) : {}
  const mail = isObject(told.mail) ? told.mail : {}
  const kind = form.kind(part)
  if (!kind) return [ignored]
  const at = momentFrom(part.timestamp ?? mail.timestamp)
  if (at === null) return [refused('has no timestamp')]
  const all = form.recipients === undefined ? mail.destination : part[form.recipients]
  if (!Array.isArray(all) || all.length === 0) return [refused('names no recipient')]
  // Of an open or a click SES does not say which of several recipients it was.
  if ((kind === 'opened' || kind === 'clicked') && all.length > 1) return [ignored]
  // The same bounce or complaint may come by the configuration set and by the identity: both have its feedbackId.
  const id = idFrom(part.feedbackId) ?? snsId
  return all.map((recipient) => {
    const named: Record<string, unknown> = isObject(recipient) ? recipient : { emailAddress: recipient }
    const email = addressFrom(named.emailAddress)
    if (email === null) return refused('a recipient is not an address')
    const kept = Object.fromEntries(form.params.map((name) => [PARAM_NAMES[name] ?? name, part[name]]))
    return {
      ...{ kind, email, at, id: `${id} ${email}` },
      messageId: text(mail.messageId),
      isMachine: isByMachine({ agent: text(part.userAgent), ip: text(part.ipAddress) }),
      params: paramsFrom({
        ...kept,
        message_id: mail.messageId,
        status: named.status,
        response: named.diagnosticCode ?? kept.response,
      }),
    }
  })
}
