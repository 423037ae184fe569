import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Settings } from '../config.ts'

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
