import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { brotliCompressSync } from 'node:zlib'
import fastify from 'fastify'
import { temporaryHome } from '../test/app.ts'
import { installPages } from './pages.ts'

test('pages are served under their addresses, compressed where they were, and nothing beside them', async (t) => {
  const directory = join(temporaryHome(t), 'dist')
  mkdirSync(join(directory, 'assets'), { recursive: true })
  writeFileSync(join(directory, 'secret.txt.bak'), 'no')
  writeFileSync(join(directory, '..', 'outside.txt'), 'no')
  writeFileSync(join(directory, 'index.html'), '<!doctype html><title>x</title>')
  writeFileSync(join(directory, 'icon.svg'), '<svg/>')
  writeFileSync(join(directory, 'assets/app-1a2b.js'), 'let x')
  writeFileSync(join(directory, 'assets/app-1a2b.js.br'), brotliCompressSync('let x'))
  const app = fastify()
  t.after(() => app.close())
  await installPages(app, directory)

  for (const url of ['/', '/login', '/setup', '/accounts/1/contacts?q=a', '/accounts/1/lists/2']) {
    const page = await app.inject(url)
    assert.deepEqual([page.statusCode, page.body], [200, '<!doctype html><title>x</title>'], url)
    assert.match(String(page.headers['content-security-policy']), /script-src 'self';/)
    assert.equal(page.headers['cache-control'], 'no-cache')
  }
  const plain = await app.inject('/assets/app-1a2b.js')
  const packed = await app.inject({ url: '/assets/app-1a2b.js', headers: { 'accept-encoding': 'gzip, br' } })
  assert.deepEqual([plain.body, plain.headers['content-encoding']], ['let x', undefined])
  assert.deepEqual(
    [packed.headers['content-encoding'], packed.headers['cache-control']],
    ['br', 'public, max-age=31536000, immutable'],
  )
  assert.match(String(packed.headers['content-type']), /javascript/)
  assert.equal((await app.inject('/icon.svg')).statusCode, 200)
  for (const url of [
    '/secret.txt.bak',
    '/assets/../../outside.txt',
    '/assets/%2e%2e%2f%2e%2e%2foutside.txt',
    '/assets/none.js',
    '/nope',
  ])
    assert.ok([403, 404].includes((await app.inject(url)).statusCode), url)
})

test('without them the first page says how they are built', async (t) => {
  const app = fastify()
  t.after(() => app.close())
  await installPages(app, temporaryHome(t))

  const answer = await app.inject('/')
  assert.equal(answer.statusCode, 503)
  assert.match(answer.body, /npm run build/)
})
