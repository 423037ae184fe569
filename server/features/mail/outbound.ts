import { createTransport } from 'nodemailer'
import type { Letter } from './letter.ts'

/** Hands a mail to the server, and ends when that has taken it. Throws whatever nodemailer throws. */
export interface Outbound {
  (messageId: string, letter: Letter): Promise<void>
  /** Whether the server would take one: connects and logs in, and sends nothing. */
  verify: () => Promise<void>
}

interface Settings {
  /** `smtp://` or `smtps://`, with user and password. */
  url: string
  /** The address that mail comes from. */
  from: string
  timeoutMs: number
}

/** A connection a mail: the few that a service sends by itself need no pool, which would have to be closed. */
export function outboundTo({ url, from, timeoutMs }: Settings): Outbound {
  const transport = createTransport({
    url,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  const send = async (messageId: string, letter: Letter) => {
    const { to, fromName, subject, html, text } = letter
    await transport.sendMail({
      messageId: messageIdOf(messageId, from),
      from: { name: oneLine(fromName), address: from },
      to: { name: '', address: to },
      subject: oneLine(subject),
      html,
      text,
      headers: Object.fromEntries(ownHeaders(letter).map(({ name, value }) => [name, { prepared: true, value }])),
    })
  }
  return Object.assign(send, { verify: async () => void (await transport.verify()) })
}

export interface Header {
  name: string
  value: string
}

/** The headers of a mail, to be shown. Without a mail server nobody knows from which address it would come. */
export function headersOf(messageId: string, from: string | undefined, letter: Letter): Header[] {
  const name = oneLine(letter.fromName)
  return [
    { name: 'From', value: from === undefined ? name : `${name} <${from}>` },
    { name: 'To', value: letter.to },
    { name: 'Subject', value: oneLine(letter.subject) },
    ...(from === undefined ? [] : [{ name: 'Message-ID', value: messageIdOf(messageId, from) }]),
    ...ownHeaders(letter),
  ]
}

function messageIdOf(messageId: string, from: string): string {
  return `<${messageId}@${from.slice(from.lastIndexOf('@') + 1)}>`
}

/** RFC 3834; RFC 2369 and RFC 8058. Our links are ASCII without spaces, and must not be broken into lines. */
function ownHeaders({ unsubscribeUrl }: Letter): Header[] {
  const ours = [{ name: 'Auto-Submitted', value: 'auto-generated' }]
  if (unsubscribeUrl === undefined) return ours
  return [
    ...ours,
    { name: 'List-Unsubscribe', value: `<${unsubscribeUrl}>` },
    { name: 'List-Unsubscribe-Post', value: 'List-Unsubscribe=One-Click' },
  ]
}

/** A header has one line, whatever somebody has put into their name. */
export function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: line ends and their like must not get into a header
  return text.replace(/[\x00-\x1f\x7f\u0085\u2028\u2029]+/g, ' ').trim()
}

/** Why it did not go, by code alone, and whether trying again is of no use. */
export function reasonOf(error: unknown): { reason: string; isFinal: boolean } {
  const { code, responseCode } = error as { code?: unknown; responseCode?: unknown }
  if (typeof responseCode === 'number')
    // Wrong credentials are for who runs the service to mend; a mail that waits meanwhile is not lost.
    return { reason: `the mail server answered ${responseCode}`, isFinal: responseCode >= 500 && code !== 'EAUTH' }
  return {
    reason: `the mail server could not be used (${typeof code === 'string' ? code : 'unknown'})`,
    isFinal: false,
  }
}
