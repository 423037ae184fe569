import assert from 'node:assert/strict'
import type { LookupAddress } from 'node:dns'
import { type TestContext, test } from 'node:test'
import { receiver } from '../../test/receiver.ts'
import { Post } from './post.ts'
import { checkTarget, type Resolve, resolverFor } from './target.ts'

const HOST = 'hooks.rollcall-test.example'
const addresses = (...list: string[]): LookupAddress[] =>
  list.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))

/** A name server that answers these in turn, the last one for good, and what it was asked. */
function nameServer(...answers: LookupAddress[][]): { resolve: Resolve; asked: string[] } {
  const asked: string[] = []
  return {
    asked,
    resolve: async (name) => {
      asked.push(name)
      return answers.length > 1 ? answers.shift()! : answers[0]!
    },
  }
}

function postBy(t: TestContext, allowPrivate: boolean, resolve: Resolve): (url: string) => ReturnType<Post['send']> {
  const post = new Post({ timeoutMs: 2000, allowPrivate, resolve })
  t.after(() => post.close())
  return (url) => post.send(url, {}, '{}', new AbortController().signal)
}

test('a name that leads to any private address is refused when it is registered', async () => {
  const check = (...list: string[]) =>
    checkTarget(`https://${HOST}/x`, { allowPrivate: false, resolve: nameServer(addresses(...list)).resolve })

  assert.equal(await check('1.1.1.1', '2606:4700::1111'), `https://${HOST}/x`)
  assert.equal(await check(), `https://${HOST}/x`, 'it may not be there yet')
  for (const list of [['127.0.0.1'], ['1.1.1.1', '10.0.0.1'], ['2606:4700::1111', '::1'], ['::ffff:10.0.0.1']])
    await assert.rejects(check(...list), { code: 'invalid' }, list.join())
  const unreachable = () => Promise.reject(Object.assign(new Error(), { code: 'EAI_AGAIN' }))
  assert.equal(await checkTarget(`https://${HOST}/`, { allowPrivate: false, resolve: unreachable }), `https://${HOST}/`)
})

test('a name that led elsewhere when it was registered is refused at the moment of sending', async (t) => {
  const there = await receiver(t)
  there.at('/hook', 200)
  const { resolve, asked } = nameServer(addresses('1.1.1.1'), addresses('127.0.0.1'))
  const url = await checkTarget(`http://${HOST}:${there.port}/hook`, { allowPrivate: false, resolve })

  const outcome = await postBy(t, false, resolve)(url)

  assert.deepEqual([outcome!.status, outcome!.error], [null, 'the name leads to an address that is not public'])
  assert.deepEqual(asked, [HOST, HOST])
  assert.equal(there.connections(), 0)
})

test('one private address among public ones refuses them all, and so does one written out', async (t) => {
  const there = await receiver(t)
  there.at('/hook', 200)
  const mixed = nameServer(addresses('1.1.1.1', '127.0.0.1'))
  const named = await postBy(t, false, mixed.resolve)(`http://${HOST}:${there.port}/hook`)
  assert.equal(named!.error, 'the name leads to an address that is not public')
  for (const host of ['127.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '2130706433']) {
    const outcome = await postBy(t, false, mixed.resolve)(`http://${host}:${there.port}/hook`)
    assert.equal(outcome!.error, 'the address is not public', host)
  }
  assert.equal(there.connections(), 0)
})

test('a connection goes to the very address that was checked: a name is resolved once for it', async (t) => {
  const there = await receiver(t)
  there.at('/hook', 200)
  // Asked a second time, it would lead to where nobody listens.
  const { resolve, asked } = nameServer(addresses('127.0.0.1'), addresses('127.0.0.77'))
  const send = postBy(t, true, resolve)

  const first = await send(`http://${HOST}:${there.port}/hook`)
  const second = await send(`http://${HOST}:${there.port}/hook`)

  assert.deepEqual([first!.status, second!.status], [200, 200])
  assert.deepEqual(asked, [HOST])
  assert.equal(there.connections(), 1, 'the second one goes over the same connection')
  assert.equal(there.received('/hook')[0]!.headers.host, `${HOST}:${there.port}`)
})

test('a kept connection that the other side has closed is no failure of the other side', async (t) => {
  const there = await receiver(t)
  there.at('/hook', 200, 'close', 200)
  const send = postBy(t, true, nameServer(addresses('127.0.0.1')).resolve)

  const outcomes = [await send(`http://${HOST}:${there.port}/hook`), await send(`http://${HOST}:${there.port}/hook`)]

  assert.deepEqual(
    outcomes.map((outcome) => outcome!.status),
    [200, 200],
  )
})

test('what goes wrong is told in words that hold no address', async (t) => {
  const nobody = postBy(t, true, nameServer(addresses('127.0.0.1')).resolve)
  const nowhere = postBy(t, true, nameServer([]).resolve)
  const there = await receiver(t)

  assert.equal((await nobody(`http://${HOST}:1/`))!.error, 'the connection was refused')
  assert.equal((await nowhere(`http://${HOST}/`))!.error, 'the name leads nowhere')
  const plain = await nobody(`https://${HOST}:${there.port}/`)
  assert.match(plain!.error!, /^the connection failed \([A-Z_]+\)$/)
})

test('names are asked of name servers, or of this machine where private addresses are wanted', async () => {
  await assert.rejects(resolverFor({ allowPrivate: true })('no-such-name.invalid'), { code: /ENOTFOUND|EAI_AGAIN/ })
  assert.ok(
    (await resolverFor({ allowPrivate: true })('localhost')).some(({ address }) => /^(127\.|::1)/.test(address)),
  )
  // Nothing is there under this name, whether a name server says so or none can be reached.
  const found = await resolverFor({ allowPrivate: false })('no-such-name.invalid').catch(({ code }) => code)
  assert.ok(found === 'EAI_AGAIN' || (Array.isArray(found) && found.length === 0), String(found))
})
