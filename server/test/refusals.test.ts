import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { socketUrl } from '../db/embedded.ts'
import { onClient } from './own-server.ts'
import { freePort, homeTemplate, readOwnerFile, rollcall, temporaryHome } from './program.ts'

const LIMIT = { timeout: 280_000 }

const template = await homeTemplate()

/** Every file below a directory with its size and the moment of its last change. */
function snapshot(directory: string): string[] {
  return readdirSync(directory, { recursive: true }).map((name) => {
    const { size, mtimeMs } = statSync(join(directory, String(name)))
    return `${name} ${size} ${mtimeMs}`
  })
}
test('a port that is taken is named, before anything is started', LIMIT, async (t) => {
  const home = temporaryHome(t)
  const port = await freePort()
  const other = createServer().listen(port, '127.0.0.1')
  await once(other, 'listening')
  t.after(() => other.close())

  const refused = await rollcall(home, ['start'], { PORT: String(port) }).ended

  assert.equal(refused.code, 1)
  assert.match(
    refused.err,
    new RegExp(`^rollcall: port ${port} on 127\\.0\\.0\\.1 is taken by another program: .*PORT\\n$`),
  )
  assert.ok(!existsSync(join(home, 'pg18')))
})

test('a directory or a schema of a newer release is refused and left as it is', LIMIT, async (t) => {
  const home = template.copy(t)
  mkdirSync(join(home, 'pg19'))
  const found = snapshot(home)
  for (const command of [['start'], ['token', 'list'], ['migrate']]) {
    const refused = await rollcall(home, command).ended
    assert.equal(refused.code, 1)
    assert.match(
      refused.err,
      /^rollcall: .* was made by a newer Rollcall, with PostgreSQL 19 .* Nothing was changed\n$/,
    )
  }
  assert.deepEqual(snapshot(home), found)
  rmSync(join(home, 'pg19'), { recursive: true })

  const service = rollcall(home, ['start'])
  await service.ready()
  await onClient(socketUrl(readOwnerFile(home)!.socketDir!), async (client) => {
    await client.query(`insert into migrations (name, checksum) values ('9999_later.sql', '')`)
  })
  service.child.kill()
  await service.ended
  const refused = await rollcall(home, ['start']).ended
  assert.equal(refused.code, 1)
  assert.match(refused.err, /rollcall: the database was made by a newer Rollcall \(it has 9999_later\.sql/)
})

test('a bad setting is named without its value', LIMIT, async (t) => {
  const refused = await rollcall(temporaryHome(t), ['start'], { LOG_LEVEL: 'sesame' }).ended

  assert.equal(refused.code, 1)
  assert.equal(
    refused.err,
    'rollcall: bad configuration:\n  LOG_LEVEL must be one of trace, debug, info, warn, error, fatal, silent\n',
  )
})

test('the secret in use is asked for when it is missing', LIMIT, async (t) => {
  const home = template.copy(t)
  const service = rollcall(home, ['start'])
  await service.ready()
  await onClient(socketUrl(readOwnerFile(home)!.socketDir!), async (client) => {
    await client.query(`
      insert into suppressions (account_id, kind, value, key_id, reason, source) values (1, 'hmac', '00', '01234567', 'erased', 'test')`)
  })
  service.child.kill()
  await service.ended

  const refused = await rollcall(home, ['start']).ended

  assert.equal(refused.code, 1)
  assert.match(refused.err, /rollcall: the database holds marks made with key 01234567.*backup\n$/)
})
