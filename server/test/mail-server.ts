import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { type ParsedMail, simpleParser } from 'mailparser'
import { SMTPServer } from 'smtp-server'
import { atEnd } from './database.ts'

/** What the server does with the next mail: takes it, refuses it with a code, says nothing any more, or hangs up. */
export type Mood = 'take' | 'stall' | 'drop' | number

export interface MailServer {
  url: string
  /** What was taken, as it came. */
  raw: string[]
  mails: ParsedMail[]
  /** Moods for the mails to come, in order; then it takes all. */
  moods: Mood[]
  /** Connections there have been. */
  connections: () => number
}

/** A mail server that behaves as it is told to. */
export async function mailServer(t: TestContext): Promise<MailServer> {
  let connections = 0
  const made: MailServer = { url: '', raw: [], mails: [], moods: [], connections: () => connections }
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    closeTimeout: 500, // for clients that keep their connection, which it would wait 30 s for
    onConnect(_session, done) {
      connections++
      done()
    },
    onRcptTo(address, _session, done) {
      const mood = made.moods[0]
      if (typeof mood !== 'number') return done()
      made.moods.shift()
      // As many servers do, it quotes the address.
      done(Object.assign(new Error(`no <${address.address}> here`), { responseCode: mood }))
    },
    onData(stream, session, done) {
      text(stream).then(async (raw) => {
        const mood = made.moods.shift() ?? 'take'
        if (mood === 'stall') return
        if (mood === 'drop') {
          for (const connection of server.connections) if (connection.session === session) connection.close()
          return
        }
        made.raw.push(raw)
        made.mails.push(await simpleParser(raw))
        done()
      }, done)
    },
  })
  server.on('error', () => {}) // clients that hang up while it stalls
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  atEnd(t, () => new Promise<void>((resolve) => server.close(() => resolve())))
  made.url = `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`
  return made
}
