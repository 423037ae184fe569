import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Settings } from '../config.ts'
import { newSigningSecret, signedHeaders } from '../features/webhooks/signature.ts'

const ROOT = join(import.meta.dirname, '../..')

interface About {
  default?: unknown
  description?: string
}

function defaultOf({ default: preset }: About): string {
  if (preset === undefined || (Array.isArray(preset) && preset.length === 0)) return ''
  return `\`${preset}\``
}

test('the guide to the configuration lists every setting, its default and what it is for', () => {
  const rows = Object.entries(Settings.properties).map(([name, schema]) => {
    const about = schema as About
    return `| \`${name}\` | ${defaultOf(about)} | ${about.description} |`
  })

  const guide = readFileSync(join(ROOT, 'docs/configuration.md'), 'utf8')

  const expected = ['| variable | default | |', '| --- | --- | --- |', ...rows].join('\n')
  assert.ok(guide.includes(expected), `docs/configuration.md should have this table:\n\n${expected}`)
})

test("the guide's way to check a message by hand takes what we sign, and nothing else", async () => {
  const guide = readFileSync(join(ROOT, 'docs/webhooks.md'), 'utf8')
  const code = /```js\n([\s\S]*?)```/.exec(guide)![1]!
  const { isGenuine } = await import(`data:text/javascript,${encodeURIComponent(code)}`)
  const [secret, other] = [newSigningSecret(), newSigningSecret()]
  const letter = { id: '1-500-0f0e0d0c', body: '{"type":"events","data":["é"]}' }
  const headers = signedHeaders(letter, [secret], Date.now())

  assert.ok(isGenuine(secret, headers, letter.body))
  assert.ok(isGenuine(secret, signedHeaders(letter, [other, secret], Date.now()), letter.body))
  assert.ok(!isGenuine(other, headers, letter.body))
  assert.ok(!isGenuine(secret, headers, `${letter.body} `))
  assert.ok(!isGenuine(secret, { ...headers, 'webhook-id': 'x' }, letter.body))
  assert.ok(!isGenuine(secret, signedHeaders(letter, [secret], Date.now() - 301_000), letter.body))
  assert.ok(!isGenuine(secret, {}, letter.body))
})
