import { linkTo } from './features/accounts/user-links.ts'
import type { FirstWords } from './prepare.ts'

/**
 * What a start prints: while there is no user, a link that makes the first one; on the very first start also the token,
 * shown this once, and three requests that can be pasted into another terminal as they are.
 *
 * @param url where the API answers; undefined for a worker alone
 */
export function greeting(url: string | undefined, { token, setup }: FirstWords): string {
  if (url === undefined) return `Rollcall works on jobs.\n${token === undefined ? '' : tokenTold(token)}`
  const first = `Rollcall is ready: ${url} (API reference: ${url}/docs)\n`
  const user =
    setup === undefined ? '' : `\nMake its administrator, in a browser; the link works once:\n  ${linkTo(url, setup)}\n`
  return `${first}${user}${token === undefined ? '' : tokenTold(token) + tryIt(url, token)}`
}

function tokenTold(token: string): string {
  return `
API token of account 1, shown only now (npx rollcall token create makes more):
  ${token}
`
}

function tryIt(url: string, token: string): string {
  const curl = (path: string, more = '') =>
    `  curl -s '${url}/api/contacts${path}' -H 'Authorization: Bearer ${token}'${more}`
  const person = JSON.stringify({ email: 'ada@example.com', fields: { first_name: 'Ada', last_name: 'Lovelace' } })
  return `
Try it in another terminal. Create a contact, search, list:
${curl('', ` -H 'Content-Type: application/json' -d '${person}'`)}
${curl('?q=ada')}
${curl('')}

`
}
