/**
 * What a start prints. On the very first one that is the token, shown this once, and three requests that can be pasted
 * into another terminal as they are.
 *
 * @param url where the API answers; undefined for a worker alone
 */
export function greeting(url: string | undefined, token: string | undefined): string {
  const first =
    url === undefined ? 'Rollcall works on jobs.\n' : `Rollcall is ready: ${url} (API reference: ${url}/docs)\n`
  if (token === undefined) return first
  const told = `${first}
API token of account 1, shown only now (npx rollcall token create makes more):
  ${token}
`
  if (url === undefined) return told
  const curl = (path: string, more = '') =>
    `  curl -s '${url}/api/contacts${path}' -H 'Authorization: Bearer ${token}'${more}`
  const person = JSON.stringify({ email: 'ada@example.com', fields: { first_name: 'Ada', last_name: 'Lovelace' } })
  return `${told}
Try it in another terminal. Create a contact, search, list:
${curl('', ` -H 'Content-Type: application/json' -d '${person}'`)}
${curl('?q=ada')}
${curl('')}

`
}
