import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { socketUrl } from '../db/embedded.ts'
import { addKeys, hasSecret, loadKeyring } from '../db/home.ts'
import { type Keyring, parseKeyring } from '../lib/secret.ts'
import { contentsOf } from '../test/archive.ts'
import { emptyDatabaseUrl } from '../test/database.ts'
import { smallDisk } from '../test/disk.ts'
import { homeTemplate, type Program, readOwnerFile, rollcall, temporaryHome } from '../test/program.ts'
import { fromArchive, toArchive } from './place.ts'

const LIMIT = { timeout: 280_000 }
const template = await homeTemplate()

/** The API alone: so nothing changes by itself. */
async function started(t: TestContext, home: string, env: Record<string, string> = {}) {
  const program = rollcall(home, ['start', '--role', 'api'], env)
  t.after(() => program.child.kill('SIGKILL'))
  return { program, address: await program.ready(), url: () => socketUrl(readOwnerFile(home)!.socketDir!) }
}

async function stopped({ child, ended }: Program): Promise<void> {
  child.kill('SIGTERM')
  assert.equal((await ended).code, 0)
}

// biome-ignore lint/suspicious/noExplicitAny: what a test reads from a body is checked by the test
async function call(address: string, method: string, path: string, body?: object): Promise<any> {
  const headers = { 'api-token': template.token, ...(body && { 'content-type': 'application/json' }) }
  const answer = await fetch(`${address}/api/${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) })
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${await answer.clone().text()}`)
  return answer.json()
}

async function ran(home: string, args: string[], env?: Record<string, string>): Promise<string> {
  const { code, out, err } = await rollcall(home, args, env).ended
  assert.equal(code, 0, err)
  return out + err
}

test('all moves from the embedded database to another server and back, and links go on working', LIMIT, async (t) => {
  const [here, there, back] = [template.copy(t), temporaryHome(t), temporaryHome(t)]
  const external = await emptyDatabaseUrl(t)
  const [first, second] = [join(here, 'first.backup'), join(here, 'second.backup')]
  const old = await started(t, here)
  for (let n = 0; n < 20; n++)
    await call(old.address, 'POST', 'contacts', {
      email: `p${n}@bücher.example`,
      fields: { first_name: `Zoë ${n}`, age: n },
    })
  await call(old.address, 'PATCH', 'contacts/p1@xn--bcher-kva.example', { unsubscribed: true })
  await call(old.address, 'POST', 'contacts/p1@xn--bcher-kva.example/unsubscribe', {})
  const again = await call(old.address, 'POST', 'contacts/p1@xn--bcher-kva.example/resubscribe', {
    send_confirmation: false,
  })
  const link = new URL(again.confirmation_url ?? assert.fail(JSON.stringify(again)))
  const before = await contentsOf(old.url())

  assert.match(await ran(here, ['backup', first]), /^Wrote \d+ rows of \d+ tables, 0 waiting jobs, 0 files\.\n$/)
  await stopped(old.program)
  assert.equal(statSync(first).mode & 0o777, 0o600)
  await ran(there, ['restore', first], { DATABASE_URL: external })
  assert.deepEqual(await contentsOf(external), before)
  await ran(there, ['backup', second, '--files'], { DATABASE_URL: external })
  assert.match(await ran(back, ['restore', second]), /^Restored \d+ rows .* UTC\. Next: rollcall start\n$/)
  const now = await started(t, back)

  // The start has made another link for the first user, as nobody has used one.
  assert.deepEqual({ ...(await contentsOf(now.url())), user_links: null }, { ...before, user_links: null })
  assert.equal(readFileSync(join(back, 'secret'), 'utf8'), readFileSync(join(here, 'secret'), 'utf8'))
  assert.equal(statSync(join(back, 'secret')).mode & 0o777, 0o600)
  const confirmed = await fetch(`${now.address}${link.pathname}${link.search}`, { method: 'POST' })
  assert.equal(confirmed.status, 200)
  const found = await call(now.address, 'GET', 'contacts/p1@xn--bcher-kva.example')
  assert.equal(found.data.state, 'subscribed')
  await stopped(now.program)
})

test('what a command is given wrong costs nothing, and it says what would be right', LIMIT, async (t) => {
  const home = template.copy(t)
  const fresh = temporaryHome(t)
  const file = join(home, 'x.backup')
  await ran(home, ['backup', file])
  const key = 'another-key-that-only-this-test-knows-0123456789'
  const refusals: [string, string[], Record<string, string>, RegExp][] = [
    [home, ['backup', file], {}, /x\.backup is there already: choose another name/],
    [fresh, ['backup', join(home, 'y.backup')], {}, /there is nothing to back up in /],
    [home, ['restore', file], {}, /the database is not empty \(there are accounts\)/],
    [fresh, ['restore', join(home, 'secret')], {}, /secret is no backup of Rollcall/],
    [fresh, ['restore', file], { ROLLCALL_SECRET: key }, /ROLLCALL_SECRET lacks [0-9a-f]{8}, a key of the archive/],
  ]
  for (const [where, args, env, says] of refusals) {
    const { code, out, err } = await rollcall(where, args, env).ended
    assert.deepEqual([code, out], [1, ''], err)
    assert.match(err, says)
    assert.match(err, /^rollcall: [^\n]*\n$/)
  }
  assert.equal(readOwnerFile(fresh), undefined, 'nothing was made for an archive that is not restored')
  assert.match(await ran(fresh, ['restore', '--check', file]), /^It is whole: \d+ rows of \d+ tables/)
})

test('a file is there whole or not at all, and what the disk refuses is told in words', async (t) => {
  const home = mkdtempSync(join(tmpdir(), 'rollcall-archive-'))
  t.after(() => rmSync(home, { recursive: true }))
  const file = join(home, 'x.backup')
  const bytes = (count: number) => Readable.from(Array.from({ length: count }, () => Buffer.alloc(2 ** 20)))
  const failing = Readable.from(
    (async function* () {
      yield Buffer.from('half of it')
      throw new Error('the database has gone')
    })(),
  )

  await assert.rejects(
    toArchive(file, (take) => take(failing)),
    /the database has gone/,
  )
  assert.deepEqual(readdirSync(home), [])
  writeFileSync(`${file}.unfinished`, 'of another')
  await assert.rejects(
    toArchive(file, (take) => take(bytes(1))),
    /x\.backup\.unfinished is there already: another backup/,
  )
  assert.equal(readFileSync(`${file}.unfinished`, 'utf8'), 'of another')
  rmSync(`${file}.unfinished`)
  await toArchive(file, (take) => take(bytes(2)))
  assert.deepEqual(
    [readdirSync(home), statSync(file).mode & 0o777, statSync(file).size],
    [['x.backup'], 0o600, 2 ** 21],
  )
  await assert.rejects(
    toArchive(file, (take) => take(bytes(1))),
    /is there already: choose another name/,
  )
  await assert.rejects(
    toArchive(join(home, 'no/x'), (take) => take(bytes(1))),
    /the directory of .*x is not there/,
  )
  await assert.rejects(buffer(fromArchive(join(home, 'y'))), /y is not there/)
  await assert.rejects(buffer(fromArchive(home)), /is a directory: name a file/)
  const small = smallDisk(t, 4)
  if (small === undefined) return
  await assert.rejects(
    toArchive(join(small, 'x'), (take) => take(bytes(9))),
    /the disk is full on which .*x is: free some space/,
  )
  assert.deepEqual(readdirSync(small), [])
})

test('keys of an archive stand behind those that a home has, and are taken out again', (t) => {
  const home = temporaryHome(t)
  const [mine, theirs] = ['a', 'b'].map((letter) => parseKeyring(letter.repeat(40)))
  const kept = () => loadKeyring(home).map(({ secret }) => secret[0])

  const undoFirst = addKeys(home, mine!)
  const undoSecond = addKeys(home, [...theirs!, ...mine!] as unknown as Keyring)
  assert.deepEqual(kept(), ['a', 'b'])
  addKeys(home, theirs!)() // there already: nothing to do, and nothing to undo
  assert.deepEqual(kept(), ['a', 'b'])
  undoSecond()
  assert.deepEqual(kept(), ['a'])
  undoFirst()
  assert.equal(hasSecret(home), false)
})
