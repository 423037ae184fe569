import { ConnectionError } from './errors.ts'

/** A message of a stream of server-sent events. */
export interface Message {
  id: string | undefined
  data: string
}

/** A service that lives says so every 15 s; one that is silent for three times as long is taken for gone. */
const SILENCE_MS = 45_000

/** The messages of an answer, as they come. Throws ConnectionError when it breaks off or nothing comes any more. */
export async function* messagesOf(response: Response, silenceMs = SILENCE_MS): AsyncGenerator<Message> {
  if (!response.body) return
  const reader = response.body.getReader()
  const text = new TextDecoder()
  let held = ''
  try {
    for (;;) {
      const { done, value } = await soon(reader.read(), silenceMs)
      if (done) return
      const whole = held + text.decode(value, { stream: true })
      // Half of a line end that is in two pieces waits for the other half.
      const isCut = whole.endsWith('\r')
      const parts = (isCut ? whole.slice(0, -1) : whole).replace(/\r\n?/g, '\n').split('\n\n')
      held = parts.pop()! + (isCut ? '\r' : '')
      for (const part of parts) {
        const message = messageIn(part)
        if (message) yield message
      }
    }
  } finally {
    await reader.cancel().catch(() => {})
  }
}

function messageIn(part: string): Message | undefined {
  let id: string | undefined
  const data: string[] = []
  for (const line of part.split('\n')) {
    const [, name, value] = /^(\w*):? ?(.*)$/.exec(line) ?? []
    if (name === 'id') id = value
    if (name === 'data') data.push(value!)
  }
  return data.length > 0 ? { id, data: data.join('\n') } : undefined
}

async function soon<Result>(work: Promise<Result>, ms: number): Promise<Result> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new ConnectionError(`Nothing came for ${ms / 1000} s`)), ms)
  })
  try {
    return await Promise.race([work, late])
  } catch (error) {
    if (error instanceof ConnectionError || (error as Error).name === 'AbortError') throw error
    throw new ConnectionError(`The stream broke off: ${(error as Error).message}`, { cause: error })
  } finally {
    clearTimeout(timer)
  }
}
