import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '../lib/app-error.ts'
import { temporaryHome } from '../test/app.ts'
import { fill, smallDisk } from '../test/disk.ts'
import { s3Server } from '../test/s3.ts'
import { diskStore } from './disk.ts'
import { openFiles } from './open.ts'
import type { FileStore } from './store.ts'

interface Opened {
  files: FileStore
  /** What is kept beside the files themselves: nothing, once each write has ended. */
  leftovers: () => number
}

const STORES: Record<string, (t: TestContext) => Promise<Opened>> = {
  async disk(t) {
    const home = temporaryHome(t)
    return { files: diskStore(home), leftovers: () => readdirSync(join(home, 'files/.unfinished')).length }
  },
  async S3(t) {
    const server = await s3Server(t)
    return { files: await openFiles({ url: server.url, home: '/nowhere' }), leftovers: () => server.uploads.size }
  },
  async 'S3 below a prefix'(t) {
    const server = await s3Server(t, '/rollcall/one')
    return { files: await openFiles({ url: server.url, home: '/nowhere' }), leftovers: () => server.uploads.size }
  },
}

const MEGABYTE = 2 ** 20
const isCode = (code: string) => (error: unknown) => error instanceof AppError && error.code === code

/** So many megabytes, a chunk a megabyte, each filled with its number; then the error, if there is one. */
async function* megabytes(count: number, error?: Error) {
  for (let n = 0; n < count; n++) yield Buffer.alloc(MEGABYTE, n)
  if (error) throw error
}

for (const [name, open] of Object.entries(STORES)) {
  test(`${name}: what was written is read again, whole and in parts`, async (t) => {
    const { files, leftovers } = await open(t)
    for (const text of ['', 'short', 'other']) {
      assert.equal(await files.write('12/uploads/a-1.csv.gz', Readable.from([Buffer.from(text)])), text.length)
      assert.equal(await files.size('12/uploads/a-1.csv.gz'), text.length)
      assert.equal((await buffer(await files.read('12/uploads/a-1.csv.gz'))).toString(), text)
    }
    assert.deepEqual(await files.list('12/uploads'), ['12/uploads/a-1.csv.gz'])
    assert.deepEqual(await files.list('12/erasures'), [])
    assert.equal(await files.write('12/exports/large', Readable.from(megabytes(20))), 20 * MEGABYTE)
    assert.equal(await files.size('12/exports/large'), 20 * MEGABYTE)
    const whole = await buffer(await files.read('12/exports/large'))
    assert.ok(whole.equals(Buffer.concat(await Array.fromAsync(megabytes(20)))))
    const part = await buffer(await files.read('12/exports/large', { start: MEGABYTE - 1, end: MEGABYTE + 1 }))
    assert.deepEqual([...part], [0, 1, 1])
    const end = await buffer(await files.read('12/exports/large', { start: 20 * MEGABYTE - 2 }))
    assert.deepEqual([...end], [19, 19])
    assert.equal(leftovers(), 0)
  })

  test(`${name}: a file that is not there has no size, can't be read, and may be removed`, async (t) => {
    const { files } = await open(t)
    assert.equal(await files.size('12/uploads/none'), null)
    await assert.rejects(files.read('12/uploads/none'), isCode('not_found'))
    await assert.rejects(files.read('12/uploads/none', { start: 0, end: 0 }), isCode('not_found'))
    await files.remove('12/uploads/none')
    await files.removeAll('12/uploads')
    await files.sweep()
  })

  test(`${name}: what removes a folder leaves those whose names begin alike`, async (t) => {
    const { files } = await open(t)
    const keys = [
      '1/exports/a',
      '1/exports/b',
      '1/exports/c',
      '1/exports/d/e',
      '1/exports2/a',
      '1/uploads/a',
      '11/exports/a',
    ]
    for (const key of keys) await files.write(key, Readable.from([Buffer.from(key)]))

    await files.remove('1/exports/a')
    assert.equal(await files.size('1/exports/a'), null)
    await files.removeAll('1/exports')

    const sizes = await Promise.all(keys.map((key) => files.size(key)))
    assert.deepEqual(
      keys.filter((_key, at) => sizes[at] !== null),
      ['1/exports2/a', '1/uploads/a', '11/exports/a'],
    )
  })

  for (const size of [3, 30]) {
    test(`${name}: a stream of ${size} MB that breaks off, or holds too much, leaves what was there before`, async (t) => {
      const { files, leftovers } = await open(t)
      await files.write('12/uploads/a', Readable.from([Buffer.from('before')]))
      const broken = new Error('the client has gone')
      const late = AbortSignal.timeout(50)
      async function* endless() {
        for (;;) {
          yield* megabytes(size)
          await sleep(30)
        }
      }

      await assert.rejects(files.write('12/uploads/a', Readable.from(megabytes(size, broken))), broken)
      await assert.rejects(
        files.write('12/uploads/a', Readable.from(megabytes(size)), { mostBytes: size * MEGABYTE - 1 }),
        isCode('too_large'),
      )
      await assert.rejects(files.write('12/uploads/a', Readable.from(endless()), { signal: late }), {
        name: /AbortError|TimeoutError/,
      })
      const destroyed = Readable.from(endless())
      setTimeout(() => destroyed.destroy(), 50)
      await assert.rejects(files.write('12/uploads/a', destroyed))

      assert.equal((await buffer(await files.read('12/uploads/a'))).toString(), 'before')
      for (const end = Date.now() + 60_000; leftovers() > 0; await sleep(20))
        assert.ok(Date.now() < end, 'leftovers go')
      assert.equal(
        await files.write('12/uploads/a', Readable.from(megabytes(size)), { mostBytes: size * MEGABYTE }),
        size * MEGABYTE,
      )
    })
  }

  test(`${name}: a key that would lead elsewhere is a fault of the program`, async (t) => {
    const { files } = await open(t)
    for (const key of ['../a', '12/../../a', '/etc/a', '12/.unfinished', '', '12//a', '12/a/', 'a b', '12/a\n'])
      for (const act of [() => files.write(key, Readable.from([])), () => files.read(key), () => files.removeAll(key)])
        await assert.rejects(async () => act(), RangeError, key)
  })
}

test('disk: files are for their owner alone', async (t) => {
  const home = temporaryHome(t)
  await diskStore(home).write('12/uploads/a', Readable.from([Buffer.from('secret')]))
  const modes = ['files', 'files/12', 'files/12/uploads', 'files/12/uploads/a'].map(
    (path) => statSync(join(home, path)).mode & 0o777,
  )
  assert.deepEqual(modes, [0o700, 0o700, 0o700, 0o600])
})

test('disk: a process that is killed in the middle of a write leaves no file, and the rest goes a day later', async (t) => {
  const home = temporaryHome(t)
  const program = `
    import { Readable } from 'node:stream'
    import { diskStore } from '${join(import.meta.dirname, 'disk.ts')}'
    const source = new Readable({ read() {} })
    source.push(Buffer.alloc(100_000))
    setTimeout(() => console.log('writing'), 200)
    setInterval(() => {}, 1000)
    await diskStore(${JSON.stringify(home)}).write('12/uploads/a', source)`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'exit')
  const files = diskStore(home)
  const unfinished = join(home, 'files/.unfinished')
  const names = readdirSync(unfinished)
  assert.equal(await files.size('12/uploads/a'), null)
  assert.equal(names.length, 1)

  await files.sweep()
  assert.deepEqual(readdirSync(unfinished), names, 'it might still be written')
  const longAgo = Date.now() / 1000 - 90_000
  utimesSync(join(unfinished, names[0]!), longAgo, longAgo)
  await files.sweep()

  assert.deepEqual(readdirSync(unfinished), [])
})

test('S3: an upload in parts that was cut off goes a day later, one that runs and those of others stay', async (t) => {
  const server = await s3Server(t)
  const files = await openFiles({ url: server.url, home: '/nowhere' })
  const dayAgo = new Date(Date.now() - 90_000_000)
  server.uploads.set('old', { key: '12/exports/a', parts: new Map(), at: dayAgo })
  server.uploads.set('new', { key: '12/exports/b', parts: new Map(), at: new Date() })
  server.uploads.set('foreign', { key: 'photos/cat', parts: new Map(), at: dayAgo })

  await files.sweep()

  assert.deepEqual([...server.uploads.keys()], ['new', 'foreign'])
})

test('disk: a full disk says so, leaves nothing half written, and takes files again once there is room', async (t) => {
  const home = smallDisk(t, 16)
  if (home === undefined) return
  const files = diskStore(home)
  await files.write('12/uploads/kept', Readable.from([Buffer.from('kept')]))

  await assert.rejects(files.write('12/uploads/a', Readable.from(megabytes(20))), {
    code: 'unavailable',
    message: 'The disk that files are kept on is full: free some space, then try again',
  })
  assert.deepEqual(readdirSync(join(home, 'files/.unfinished')), [])
  assert.equal(await files.size('12/uploads/a'), null)
  assert.equal(await files.write('12/uploads/a', Readable.from(megabytes(8))), 8 * MEGABYTE)

  fill(home)
  await assert.rejects(files.write('13/uploads/a', Readable.from(megabytes(1))), {
    code: 'unavailable',
    message: /is full/,
  })
  await files.remove('12/uploads/a')
  assert.equal((await buffer(await files.read('12/uploads/kept'))).toString(), 'kept')
})

test('disk: a read-only disk says so, whether there are files or not', async (t) => {
  const home = smallDisk(t, 16)
  if (home === undefined) return
  await diskStore(home).write('12/uploads/kept', Readable.from([Buffer.from('kept')]))
  execFileSync('mount', ['-o', 'remount,ro', home])

  for (const files of [diskStore(home), diskStore(join(home, 'new'))])
    await assert.rejects(files.write('12/uploads/a', Readable.from(megabytes(1))), {
      code: 'unavailable',
      message: /is read-only: make it writable/,
    })
  await assert.rejects(diskStore(home).remove('12/uploads/kept'), { code: 'unavailable', message: /is read-only/ })
  assert.equal((await buffer(await diskStore(home).read('12/uploads/kept'))).toString(), 'kept')
})

test('disk: a file in the way of the directory is told, not swallowed', async (t) => {
  const home = temporaryHome(t)
  mkdirSync(join(home, 'files'))
  writeFileSync(join(home, 'files/12'), 'in the way')
  await assert.rejects(diskStore(home).write('12/uploads/a', Readable.from(megabytes(1))), /ENOTDIR|EEXIST/)
})

test('S3: what the bucket refuses, and one that does not answer, say where to look', async (t) => {
  const server = await s3Server(t)
  const files = await openFiles({ url: server.url, home: '/nowhere' })
  const stranger = await openFiles({ url: server.url.replace('test-key', 'another'), home: '/nowhere' })
  const acts = (store: FileStore) => [
    () => store.write('12/uploads/a', Readable.from(megabytes(1))),
    () => store.write('12/uploads/a', Readable.from(megabytes(30))),
    () => store.read('12/uploads/a'),
    () => store.remove('12/uploads/a'),
    () => store.removeAll('12/uploads'),
  ]
  for (const act of acts(stranger))
    await assert.rejects(act, { code: 'unavailable', message: /bucket .* answers InvalidAccessKeyId: see STORAGE_URL/ })
  server.refusal = { status: 507, code: 'QuotaExceeded' }
  for (const act of acts(files)) await assert.rejects(act, { code: 'unavailable', message: /answers QuotaExceeded/ })

  const nobody = await openFiles({ url: 's3://a:b@127.0.0.1:1/bucket?tls=false', home: '/nowhere' })
  for (const act of [...acts(nobody), () => nobody.size('12/uploads/a')])
    await assert.rejects(act, { code: 'unavailable', message: /does not answer/ })
})
