import type { Config } from '../../config.ts'
import type { Queue } from '../../jobs/queue.ts'
import { AppError } from '../../lib/app-error.ts'
import type { Keyring } from '../../lib/secret.ts'

/** What mails are posted with. */
export interface MailRoom {
  queue: Queue
  keyring: Keyring
  /** Whether there is a mail server; else mails are kept to be read through the API. */
  hasServer: boolean
  /** PUBLIC_URL. */
  publicUrl: string | undefined
  /** Where this process answers, for links that only who runs it will follow. */
  ownUrl: string
}

/**
 * What links begin with, without a slash at the end. Throws conflict where mail really goes out and nobody has said under
 * which address its readers reach us.
 */
export function linkBase(room: MailRoom): string {
  if (room.publicUrl === undefined && room.hasServer)
    throw new AppError(
      'conflict',
      'Mail with links can not be sent: set PUBLIC_URL to the address under which its readers reach Rollcall',
    )
  return shownBase(room)
}

/** The same for addresses that are shown to whoever runs the account, and mailed to nobody. */
export function shownBase({ publicUrl, ownUrl }: Pick<MailRoom, 'publicUrl' | 'ownUrl'>): string {
  return (publicUrl ?? ownUrl).replace(/\/+$/, '')
}

/** The same, by the settings. */
export function baseOf(config: Config): string {
  return shownBase({ publicUrl: config.PUBLIC_URL, ownUrl: ownUrl(config) })
}

export function mailRoomOf(config: Config, queue: Queue, keyring: Keyring): MailRoom {
  const hasServer = config.SMTP_URL !== undefined
  return { queue, keyring, hasServer, publicUrl: config.PUBLIC_URL, ownUrl: ownUrl(config) }
}

/** Where this process answers whoever sits at it. */
function ownUrl({ HOST, PORT }: Config): string {
  const host = HOST === '0.0.0.0' || HOST === '::' ? 'localhost' : HOST.includes(':') ? `[${HOST}]` : HOST
  return `http://${host}:${PORT}`
}
