import { compare, type Side } from './api.ts'
import { type Lab, openLab, type Program } from './lab.ts'
import { describeMachine } from './machine.ts'
import type { Figure } from './report.ts'

export interface PageOptions {
  rounds: number
  seconds: number
  profileDir?: string | undefined
}

/** Pages for people against the bare framework, which serves the very same bytes from memory: it reads and signs nothing. */
export async function benchPages(options: PageOptions): Promise<{ machine: string; figures: Figure[] }> {
  const lab = await openLab(options)
  try {
    const [product, floor] = [await lab.start('api'), await lab.start('floor')]
    const figures: Figure[] = []
    for (const [name, path] of Object.entries(await pagesOf(lab, product)))
      figures.push(...(await compare(name, await sidesOf(name, path, product, floor), lab, options)))
    return { machine: await describeMachine(lab.db), figures }
  } finally {
    await lab.stop()
  }
}

/** One page of each kind, with as much on it as is usual. */
async function pagesOf({ token }: Lab, { address }: Program): Promise<Record<string, string>> {
  const call = async (method: string, path: string, body?: object) => {
    const headers = { 'api-token': token, 'content-type': 'application/json' }
    const answer = await fetch(`${address}/api${path}`, {
      method,
      headers,
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
    return (await answer.json()) as { id: number; data: { url: string } } & Record<string, string>
  }
  const wayOf = (url: string) => new URL(url).pathname
  const news = (await call('POST', '/contact_lists', { name: 'News', public: true })).id
  await call('POST', '/contact_lists', { name: 'Offers', public: true })
  const fields = [{ field: 'first_name' }, { field: 'last_name' }]
  const form = await call('POST', '/forms', { name: 'Form', list_ids: [news], fields })
  await call('POST', '/contacts', { email: 'ann@example.com', list_ids: [news] })
  await call('POST', '/contacts', { email: 'bob@example.com', unsubscribed: true })
  const links = await call('GET', '/contacts/ann@example.com/links')
  const asked = await call('POST', '/contacts/bob@example.com/resubscribe', { send_confirmation: false })
  return {
    'sign-up form': wayOf(form.data.url),
    unsubscribe: wayOf(links.unsubscribe_url!),
    confirm: wayOf(asked.confirmation_url!),
    preferences: wayOf(links.preferences_url!),
  }
}

async function sidesOf(name: string, path: string, product: Program, floor: Program): Promise<Side[]> {
  const page = await (await fetch(product.address + path)).text()
  const copy = `/pages/${encodeURIComponent(name)}`
  await fetch(floor.address + copy, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ page }),
  })
  return [
    { name: 'floor', program: floor, next: () => ({ method: 'GET', path: copy, headers: {} }) },
    { name: 'product', program: product, next: () => ({ method: 'GET', path, headers: {} }) },
  ]
}
