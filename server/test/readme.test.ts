import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { temporaryHome, testApp } from './app.ts'

const README = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8')

test("the README's requests work as they are printed, in their order", async (t) => {
  const { app, token } = await testApp(t)
  const base = await app.listen({ port: 0, host: '127.0.0.1' })
  const first = [...README.matchAll(/^ {4}(curl[\s\S]*?[^\\])$/gm)].map((match) =>
    match[1]!
      .replaceAll('TOKEN', '$TOKEN')
      .replaceAll("'Authorization: Bearer $TOKEN'", '"Authorization: Bearer $TOKEN"'),
  )
  const block = /```sh\n([\s\S]*?)```/.exec(README)![1]!
  const script = [...first, block].join('\n').replaceAll('http://127.0.0.1:8080', base)
  // A line break after each answer, to tell them apart.
  const shell = `curl() { command curl "$@"; echo; }\n${script}`

  const { stdout } = await promisify(execFile)('bash', ['-c', shell], {
    env: { ...process.env, TOKEN: token },
    cwd: temporaryHome(t),
  })

  const answers = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
  assert.equal(answers.length, first.length + [...block.matchAll(/^(api|curl) /gm)].length)
  // An import answers `errors` too: a list of why rows were rejected, here empty.
  for (const answer of answers)
    assert.ok(!answer.error && Object.keys(answer.errors ?? {}).length === 0, JSON.stringify(answer))
  const found = answers[first.length + 4]
  assert.deepEqual(
    found.data.map((contact: { email: string }) => contact.email),
    ['ada@example.com'],
    'the search with filters finds her',
  )
})
