import type * as Sdk from '../../src/rollcall.ts'

/** What a program is given: the service with an account of its own, a network that is bad, and a webhook's message. */
export interface Given {
  url: string
  token: string
  /** See `badNetwork`. */
  network: string
  /** Where nothing listens. */
  nowhere: string
  secret: string
  letter: { headers: Record<string, string>; body: string }
}

/** How an error looks from outside. */
interface Seen {
  name: string
  isError: boolean
}

/**
 * A program that uses all of the SDK that depends on a platform: fetch, streams both ways, timers, Web Crypto, abort signals.
 * Answers what it saw, so that it can run anywhere; it knows no platform, and so stands on what all have.
 */
export async function exercise(sdk: typeof Sdk, given: Given) {
  const { rollcall, verifyWebhook, RollcallError } = sdk
  const client = rollcall({ url: given.url, token: given.token })
  const bad = (path: string, more: Partial<Sdk.Settings> = {}) =>
    rollcall({ url: `${given.network}/${path}`, token: 't', ...more })

  const failureOf = async (work: () => Promise<unknown>): Promise<Seen & Record<string, unknown>> => {
    try {
      await work()
      return { name: 'none', isError: false }
    } catch (error) {
      const { name, status, fields, requestId } = error as Sdk.ApiError
      return {
        name,
        isError: error instanceof RollcallError,
        ...(status === undefined ? {} : { status, hasRequestId: /^[0-9a-f-]{36}$/.test(requestId ?? '') }),
        ...(Object.keys(fields ?? {}).length > 0 ? { fields } : {}),
      }
    }
  }

  const ada = await client.createContact({ email: 'ada@example.com', fields: { first_name: 'Ada' } })
  for (const name of ['b', 'c', 'd', 'é']) await client.contacts.create({ email: `x@${name}.example` })
  const pages: string[] = []
  for await (const { email } of client.contacts.all({ per_page: 2, sort: 'email' })) pages.push(email)

  const files: Record<string, unknown> = {}
  const sent = Object.entries(filesOf(client.importContacts)).map(async ([name, file]) => {
    files[name] = await outcomeOf(client, await file())
  })
  await Promise.all(sent)
  const phases: string[] = []
  const listed = await client.importContacts([{ email: 'listed@example.com', fields: { first_name: 'Zoë' } }])
  for await (const { phase } of client.imports.follow(listed)) phases.push(phase)

  const batches: string[] = []
  for await (const { events } of client.events.follow({ types: ['created'], limit: 3 })) {
    batches.push(...events.map(({ type }) => type))
    if (batches.length >= 5) break
  }
  const streamed: string[] = []
  const enough = new Error('enough')
  const stop = new AbortController()
  const endedBy = await reasonOf(async () => {
    for await (const { event } of client.events.stream({ after: 'start', types: ['created'], signal: stop.signal }))
      if (streamed.push(event.type) === 5) stop.abort(enough)
  })

  const exported = await client.exports.create({ format: 'csv', fields: ['email'] })
  await client.exports.wait(exported.id)
  const file = await client.call('downloadExport', { path: { export_id: exported.id } })
  const rows = (await file.text()).trim().split(/\r?\n/)

  const message = await verifyWebhook(given.secret, given.letter.headers, given.letter.body)
  const early = new AbortController()
  setTimeout(() => early.abort(enough), 50)

  return {
    contact: [ada.email, ada.fields],
    pages,
    files,
    phases: [phases.at(-1), phases.length > 0],
    batches: batches.length >= 5 && batches.every((type) => type === 'created'),
    streamed,
    streamEndedByAbort: endedBy === enough,
    exported: [rows[0], rows.includes('ada@example.com')],
    webhook: message.type,
    forged: await failureOf(() => verifyWebhook(given.secret, given.letter.headers, `${given.letter.body} `)),
    invalid: await failureOf(() => client.contacts.create({ email: 'ada@example.com' })),
    missing: await failureOf(() => client.contacts.get('nobody@example.com')),
    denied: await failureOf(() => rollcall({ url: given.url, token: 'rc_wrong' }).lists.list()),
    unreachable: await failureOf(() => rollcall({ url: given.nowhere, token: 't', retries: 0 }).lists.list()),
    silent: await failureOf(() => bad('silent', { timeoutMs: 300, retries: 0 }).lists.list()),
    moved: await failureOf(() => bad('moved', { retries: 0 }).lists.list()),
    cut: await failureOf(() => bad('cut', { retries: 0 }).lists.list()),
    attempts: (await bad('busy').lists.create({ name: 'x' })).name,
    abortedByReason:
      (await reasonOf(() => bad('silent').lists.list({}, { signal: early.signal, timeoutMs: 60_000 }))) === enough,
    sourceIsStopped: await isStoppedByAbort(bad('silent')),
  }
}

const CSV = 'email,first_name\r\nann@NAME.example,Ann\r\nbob@NAME.example,"B ""ö"" b"\r\n'

/** The same file as each thing that a program may have it as. */
function filesOf(send: Sdk.Rollcall['importContacts']): Record<string, () => Promise<number>> {
  const csv = (name: string) => CSV.replaceAll('NAME', name)
  const bytes = (name: string) => new TextEncoder().encode(csv(name))
  const options = { update_existing: true, tags: ['a', 'b'] }
  return {
    text: () => send(csv('text'), options),
    bytes: () => send(bytes('bytes'), options),
    blob: () => send(new Blob([csv('blob')]), options),
    stream: () => send(new Blob([csv('stream')]).stream(), options),
    pieces: () =>
      send(
        (async function* () {
          for (let at = 0; at < bytes('pieces').length; at += 7) yield bytes('pieces').slice(at, at + 7)
        })(),
        options,
      ),
    contacts: () =>
      send(
        (async function* () {
          yield { email: 'ann@contacts.example', fields: { first_name: 'Ann' } }
          yield { email: 'bob@contacts.example', fields: { first_name: 'B "ö" b' } }
        })(),
        options,
      ),
  }
}

async function outcomeOf(client: Sdk.Rollcall, id: number): Promise<unknown> {
  const done = await client.waitForImport(id)
  const people: unknown[] = []
  for await (const { email, action } of client.importedContacts(id)) {
    const { fields, tags } = await client.contacts.get(email!)
    people.push([action, fields.first_name, tags.join()])
  }
  return [done.phase, done.created_contacts_count, done.rejected_rows_count, ...people]
}

async function reasonOf(work: () => Promise<unknown>): Promise<unknown> {
  try {
    await work()
  } catch (error) {
    return error
  }
}

/** Whether an upload that is broken off lets go of what it reads from, which would else be read for ever. */
async function isStoppedByAbort(client: Sdk.Rollcall): Promise<boolean> {
  const stop = new AbortController()
  let letGo = () => {}
  const isLetGo = new Promise<true>((resolve) => {
    letGo = () => resolve(true)
  })
  let pieces = 0
  const endless = (async function* () {
    try {
      for (;;) {
        yield new Uint8Array(1000)
        if (++pieces === 3) stop.abort(new Error('enough'))
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    } finally {
      letGo()
    }
  })()
  const failed = await reasonOf(() => client.imports.upload(endless, {}, { signal: stop.signal }))
  const late = new Promise<false>((resolve) => setTimeout(() => resolve(false), 10_000))
  return (failed as Error)?.message === 'enough' && (await Promise.race([isLetGo, late]))
}
