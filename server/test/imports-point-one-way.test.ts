import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'

const ROOT = join(import.meta.dirname, '..')

/** What stands further down may import what stands further up, never the other way round. */
const ORDER = [
  ['lib/', 'languages/'],
  ['db/'],
  ['jobs/', 'files/'],
  ['http/'],
  ['features/accounts/'],
  ['features/activity/'],
  ['features/mail/'],
  ['features/fields/'],
  ['features/subscriptions/'],
  ['features/criteria/'],
  ['features/contacts/'],
  ['features/lists/'],
  ['features/imports/'],
  ['features/exports/'],
  ['features/forms/'],
  ['features/webhooks/'],
  ['features/providers/'],
  ['features/privacy/'],
  ['features/stats/'],
  ['features/views/'],
]

/** What db/ needs to know of the settings that it is opened with. */
const TYPES_ONLY = /^import type /

/** Where a path stands in ORDER; what is not named there (app.ts, worker.ts, config.ts) stands above all of it. */
function rank(path: string): number {
  const at = ORDER.findIndex((folders) => folders.some((folder) => path.startsWith(folder)))
  return at === -1 ? ORDER.length : at
}

function importsOf(file: string): { line: string; target: string }[] {
  const text = readFileSync(join(ROOT, file), 'utf8')
  return [...text.matchAll(/^(?:import|export)[^;]*?from '(\.[^']+)'|^import '(\.[^']+)'/gm)].map((match) => ({
    line: match[0],
    target: relative(ROOT, join(ROOT, dirname(file), (match[1] ?? match[2])!)),
  }))
}

test('a file imports only from its own folder and those before it', () => {
  const files = globSync('{lib,db,jobs,files,http,features}/**/*.ts', {
    cwd: ROOT,
    exclude: (path) => path.endsWith('.test.ts'),
  })

  const wrong = files.flatMap((file) =>
    importsOf(file)
      .filter(({ line, target }) => rank(target) > rank(file) && !(target === 'config.ts' && TYPES_ONLY.test(line)))
      .map(({ target }) => `${file} -> ${target}`),
  )

  assert.ok(files.length > 40, 'the pattern finds the code')
  assert.deepEqual(wrong, [])
})

test('every folder of the server has its place in the order', () => {
  const folders = new Set(
    globSync('{lib,db,jobs,files,http,features/*}/', { cwd: ROOT }).map((folder) => `${folder.replace(/\/$/, '')}/`),
  )

  assert.deepEqual(
    [...folders].filter((folder) => rank(folder) === ORDER.length),
    [],
  )
})

test('only main.ts reads the environment, opens a port or hears a signal', () => {
  const files = globSync('{*.ts,{lib,db,jobs,files,http,features}/**/*.ts}', {
    cwd: ROOT,
    exclude: (path) => path.endsWith('.test.ts'),
  })

  const wrong = files.filter(
    (file) =>
      file !== 'main.ts' &&
      /process\.env|\.listen\(\{|process\.on\(['"]SIG/.test(readFileSync(join(ROOT, file), 'utf8')),
  )

  assert.deepEqual(wrong, [])
})
