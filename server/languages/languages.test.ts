import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { testApp } from '../test/app.ts'

test('a language is one file: it is found by its name, and readers who like it get it', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'languages-'))
  t.after(() => rmSync(folder, { recursive: true }))
  cpSync(import.meta.dirname, folder, { recursive: true, filter: (path) => !path.endsWith('.test.ts') })
  const english = readFileSync(join(folder, 'en.ts'), 'utf8')
  writeFileSync(join(folder, 'la.ts'), english.replace("unsubscribeButton: 'Unsubscribe'", "unsubscribeButton: 'Abi'"))

  const { LANGUAGES } = await import(join(folder, 'names.ts'))
  const { languageFor, textsIn } = await import(join(folder, 'languages.ts'))

  assert.deepEqual(LANGUAGES, ['de', 'en', 'la'])
  assert.equal(languageFor('la;q=0.8, fr', 'en'), 'la')
  assert.equal(textsIn('la').unsubscribeButton, 'Abi')
  assert.equal(textsIn('fr').unsubscribeButton, 'Unsubscribe', 'a file that is gone is replaced by English')
})

test('an account has one of the languages there are, and says which', async (t) => {
  const { get, patch, post } = await testApp(t)
  const wrong = { language: ['is not a language of mails and pages: write one of de, en'] }

  const account = await get('/api/account')
  const refused = await patch('/api/account', { language: 'fr' })
  const preview = await post('/api/forms/preview', { language: 'fr' })
  const taken = await patch('/api/account', { language: 'de' })

  assert.deepEqual(account.body.languages, ['de', 'en'])
  assert.deepEqual([refused.status, refused.body.errors], [422, wrong])
  assert.deepEqual([preview.status, preview.body.errors], [422, wrong])
  assert.deepEqual([taken.status, taken.body.language], [200, 'de'])
})
