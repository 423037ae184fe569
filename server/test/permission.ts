import type { Answer, TestApp } from './app.ts'

/** The way of an address from its first slash on: pages answer under every host. */
export const pathOf = (url: string) => url.replace(/^https?:\/\/[^/]+/, '')

/** A link by which this contact may confirm, as it is handed to callers. */
export async function confirmationLink(made: Pick<TestApp, 'call'>, contact: string): Promise<string> {
  const answer = await made.call('POST', `/api/contacts/${contact}/resubscribe`, { send_confirmation: false })
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body))
  return pathOf(answer.body.confirmation_url)
}

/** A link by which this contact leaves: all mail, or one list. */
export async function unsubscribeLink(made: Pick<TestApp, 'call'>, contact: string, listId?: number): Promise<string> {
  const query = listId === undefined ? '' : `?list_id=${listId}`
  const answer = await made.call('GET', `/api/contacts/${contact}/links${query}`)
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body))
  return pathOf(answer.body.unsubscribe_url)
}

/** What a browser sends when a button of our pages is pressed. */
export async function press(
  { app }: Pick<TestApp, 'app'>,
  url: string,
  what = 'this',
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await app.inject({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    payload: `page=1&what=${what}`,
  })
  return { status: response.statusCode, body: response.body, headers: response.headers }
}

/** The latest mail to a contact, with what it says. */
export async function latestMail(made: Pick<TestApp, 'call'>, contact: string): Promise<Answer['body']> {
  const list = await made.call('GET', `/api/messages?contact=${encodeURIComponent(contact)}`)
  const [latest] = list.body.data
  return latest && (await made.call('GET', `/api/messages/${latest.id}`)).body.data
}

/** The link to confirm that a mail holds. */
export const linkIn = (mail: { text: string }) => pathOf(/https?:\S+\/confirm\/\S+/.exec(mail.text)![0])
