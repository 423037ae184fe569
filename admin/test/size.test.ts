import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const DIST = join(import.meta.dirname, '../dist')

/** Bytes of compressed script that a first page may take. */
const MOST = 250_000

interface Chunk {
  file: string
  src?: string
  imports?: string[]
}

test('the scripts of a first page stay below 250 kB', (t) => {
  const manifest: Record<string, Chunk> = JSON.parse(readFileSync(join(DIST, '.vite/manifest.json'), 'utf8'))
  const scripts = (...entries: string[]) => {
    const files = new Set<string>()
    const add = (key: string) => {
      const chunk = manifest[key]
      assert.ok(chunk, `${key} is not in the build`)
      if (files.has(chunk.file)) return
      files.add(chunk.file)
      for (const next of chunk.imports ?? []) add(next)
    }
    for (const entry of entries) add(entry)
    // What compression would make larger is sent as it is.
    const sent = (file: string) => (existsSync(join(DIST, `${file}.br`)) ? `${file}.br` : file)
    return [...files].reduce((sum, file) => sum + statSync(join(DIST, sent(file))).size, 0)
  }
  for (const page of ['home/home-page', 'contacts/contacts-page', 'session/login-page']) {
    const bytes = scripts('index.html', 'src/app/shell.tsx', `src/pages/${page}.tsx`)
    t.diagnostic(`${page}: ${bytes} bytes of script`)
    assert.ok(bytes <= MOST, `${page} takes ${bytes} bytes of script`)
  }
})
