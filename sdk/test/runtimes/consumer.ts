// What a user writes in TypeScript: read with their own compiler, whatever its settings.
import { type Contact, type Import, InvalidError, rollcall, verifyWebhook, type WebhookMessage } from '@rollcall/sdk'

const client = rollcall({ url: 'https://contacts.example.com', token: 't', fetch: (...given) => fetch(...given) })

export async function vips(signal: AbortSignal): Promise<Contact[]> {
  const found: Contact[] = []
  for await (const contact of client.contacts.all({ filters: { plan: 'Pro' }, per_page: 100 }, { signal })) {
    const status: 'subscribed' | 'unsubscribed' = contact.status
    if (status === 'subscribed') found.push(contact)
  }
  return found
}

export async function bringIn(file: Blob | AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>): Promise<Import> {
  const id: number = await client.importContacts(file, { list_id: 1, field_mapping: { 'Email Address': 'email' } })
  return client.waitForImport(id, { onProgress: ({ phase }) => console.log(phase) })
}

export async function enter(email: string): Promise<string[]> {
  try {
    const { id } = await client.createContact({ email, fields: { age: 41 } })
    await client.addToList(id, 'Newsletter')
    return []
  } catch (error) {
    if (error instanceof InvalidError) return Object.keys(error.fields)
    throw error
  }
}

export function take(request: Request, body: string): Promise<WebhookMessage> {
  return verifyWebhook(['whsec_new', 'whsec_old'], request.headers, body)
}

// @ts-expect-error a word that the API does not know
void client.exports.create({ format: 'xls' })
