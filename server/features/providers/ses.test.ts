import assert from 'node:assert/strict'
import { sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { testApp } from '../../test/app.ts'
import { certificate } from '../../test/certificate.ts'
import { atEnd } from '../../test/database.ts'
import { person } from '../../test/imports.ts'
import { pathOf } from '../../test/permission.ts'
import { reachOf } from './reach.ts'

const HOST = 'https://sns.eu-west-1.amazonaws.com'
const TOPIC = 'arn:aws:sns:eu-west-1:123456789012:mail'
const CERTIFICATE = `${HOST}/SimpleNotificationService-0123456789abcdef.pem`

type Message = Record<string, string>

/** What stands in place of Amazon's host: its certificates, and how often which address was asked for. */
async function amazon(t: TestContext, files: Record<string, string>) {
  const asked: string[] = []
  const server = createServer((request, response) => {
    const path = request.url!
    asked.push(path)
    if (path.startsWith('/away')) return response.writeHead(302, { location: '/elsewhere' }).end()
    if (path.startsWith('/?Action=ConfirmSubscription')) return response.end('<ConfirmSubscriptionResponse/>')
    const file = files[path]
    return file === undefined ? response.writeHead(404).end() : response.end(file)
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  atEnd(t, () => server.close())
  const { port } = server.address() as AddressInfo
  return { asked, reach: reachOf((url) => new URL(`http://127.0.0.1:${port}${url.pathname}${url.search}`)) }
}

const { pem, key } = certificate()

/** Signs as SNS does. */
function signed(message: Message, version: '1' | '2' = '2', url = CERTIFICATE): Message {
  const names =
    message.Type === 'Notification'
      ? ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type']
      : ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type']
  const text = names.flatMap((name) => (message[name] === undefined ? [] : [`${name}\n${message[name]}\n`])).join('')
  const Signature = sign(version === '1' ? 'RSA-SHA1' : 'RSA-SHA256', Buffer.from(text), key).toString('base64')
  return { ...message, SignatureVersion: version, Signature, SigningCertURL: url }
}

const notification = (message: string, more: Message = {}): Message => ({
  Type: 'Notification',
  MessageId: crypto.randomUUID(),
  TopicArn: TOPIC,
  Message: message,
  Timestamp: new Date().toISOString(),
  ...more,
})

const subscription = (more: Message = {}): Message => ({
  Type: 'SubscriptionConfirmation',
  MessageId: crypto.randomUUID(),
  Token: '2336412f37',
  TopicArn: TOPIC,
  Message: `You have chosen to subscribe to the topic ${TOPIC}.`,
  SubscribeURL: `${HOST}/?Action=ConfirmSubscription&TopicArn=${TOPIC}&Token=2336412f37`,
  Timestamp: new Date().toISOString(),
  ...more,
})

async function withSes(t: TestContext, files: Record<string, string> = {}) {
  const there = await amazon(t, { [new URL(CERTIFICATE).pathname]: pem, ...files })
  const made = await testApp(t, {}, undefined, undefined, { reach: there.reach })
  const hook = (await made.post('/api/provider_hooks', { provider: 'ses' })).body
  const send = async (message: object) => {
    const headers = { 'content-type': 'text/plain; charset=UTF-8' } // as SNS has it
    const payload = JSON.stringify(message)
    const response = await made.app.inject({ method: 'POST', url: pathOf(hook.url), headers, payload })
    return { status: response.statusCode, body: response.json() }
  }
  return { ...made, ...there, hook, send }
}

/** The examples of a day, as of yesterday. */
function examples(): { told: object; text: string }[] {
  const day = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10)
  const text = readFileSync(join(import.meta.dirname, 'fixtures/ses.json'), 'utf8').replaceAll('2026-11-25', day)
  return (JSON.parse(text) as object[]).map((told) => ({ told, text: JSON.stringify(told) }))
}

test('a subscription is confirmed, and what SES tells leads each to their state', async (t) => {
  const { send, asked, get, post, hook, ...made } = await withSes(t)
  for (const name of ['ann', 'bob', 'cleo', 'dora', 'emil'])
    await post('/api/contacts', { email: `${name}@example.com` })

  assert.equal((await send(signed(subscription()))).status, 200)
  assert.equal(asked.filter((path) => path.includes('ConfirmSubscription')).length, 1)
  assert.equal((await get(`/api/provider_hooks/${hook.id}`)).body.topic_arn, TOPIC)

  const messages = examples().map(({ text }, nth) =>
    signed(notification(text, nth % 2 ? { Subject: 'Amazon SES' } : {}), nth % 3 ? '2' : '1'),
  )
  for (const message of [...messages, ...messages]) assert.equal((await send(message)).status, 200)

  const { counts } = (await get(`/api/provider_hooks/${hook.id}`)).body
  assert.deepEqual(
    [counts.received, counts.recorded, counts.duplicates, counts.ignored, counts.refused],
    [26, 9, 11, 6, 0],
    'both notices of one bounce are one event',
  )
  const stateOf = async (name: string) => (await person(made, `${name}@example.com`)).state
  assert.deepEqual(await Promise.all(['ann', 'bob', 'cleo', 'dora', 'emil'].map(stateOf)), [
    ...['subscribed', 'subscribed', 'bounced', 'unsubscribed', 'unsubscribed'],
  ])
  const events = (await get('/api/contacts/ann@example.com/events')).body.data as {
    type: string
    data: { machine?: true; params: object }
  }[]
  assert.deepEqual(
    events.reverse().map(({ type, data }) => [type, data.machine ?? false]),
    [
      ['created', false],
      ['email_sent', false],
      ['email_delivered', false],
      ['email_opened', true],
      ['email_clicked', true],
      ['email_clicked', false],
    ],
  )
  assert.equal(asked.filter((path) => path.endsWith('.pem')).length, 1, 'the certificate is kept')
})

test('who is not Amazon, or changes a word, is refused, and nobody else’s host is ever asked', async (t) => {
  const expired = certificate('sns.amazonaws.com', { from: new Date(0), to: new Date(86_400_000) })
  const files = {
    '/SimpleNotificationService-00e.pem': expired.pem,
    '/SimpleNotificationService-00c.pem': certificate('example.com').pem,
    '/SimpleNotificationService-00f.pem': 'no certificate',
    '/SimpleNotificationService-0bb.pem': 'x'.repeat(70_000),
  }
  const { send, asked, get, hook } = await withSes(t, files)
  const good = signed(notification(examples()[0]!.text))
  const at = (url: string) => signed(notification('{}'), '2', url)
  const wrong: [string, object][] = [
    ['another word', { ...good, Message: `${good.Message} ` }],
    ['another id', { ...good, MessageId: 'x' }],
    ['a subject put in', { ...good, Subject: 'x' }],
    ['no signature', { ...good, Signature: '' }],
    ['version 3', { ...good, SignatureVersion: '3' }],
    ['version 1 for 2', { ...good, SignatureVersion: '1' }],
    ['another host', at('https://example.com/SimpleNotificationService-0.pem')],
    ['a bucket', at('https://sns.eu-west-1.s3.amazonaws.com/SimpleNotificationService-0.pem')],
    [
      'a host that only begins so',
      at('https://sns.eu-west-1.amazonaws.com.example.com/SimpleNotificationService-0.pem'),
    ],
    ['a user', at('https://sns.eu-west-1.amazonaws.com@127.0.0.1/SimpleNotificationService-0.pem')],
    ['another port', at('https://sns.eu-west-1.amazonaws.com:8443/SimpleNotificationService-0.pem')],
    ['no TLS', at('http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0.pem')],
    ['another file', at(`${HOST}/other.pem`)],
    ['a file behind a way up', at(`${HOST}/x/../other.pem`)],
    ['metadata', at('http://169.254.169.254/SimpleNotificationService-0.pem')],
    [
      'a subscription elsewhere',
      signed(subscription({ SubscribeURL: 'https://example.com/?Action=ConfirmSubscription' })),
    ],
    ['a subscription to another act', signed(subscription({ SubscribeURL: `${HOST}/?Action=DeleteTopic` }))],
    ['an expired certificate', at(`${HOST}/SimpleNotificationService-00e.pem`)],
    ['somebody else’s certificate', at(`${HOST}/SimpleNotificationService-00c.pem`)],
    ['no certificate', at(`${HOST}/SimpleNotificationService-00f.pem`)],
  ]
  for (const [what, message] of wrong) {
    const { status, body } = await send(message)
    assert.equal(status, 403, `${what}: ${JSON.stringify(body)}`)
  }
  assert.deepEqual(
    asked.filter((path) => !/^\/SimpleNotificationService-0(12|0[cef])/.test(path)),
    [],
  )
  for (const [what, url] of [
    ['a file that is not there', `${HOST}/SimpleNotificationService-00a.pem`],
    ['a file without an end', `${HOST}/SimpleNotificationService-0bb.pem`],
  ] as const)
    assert.equal((await send(at(url))).status, 503, what)
  assert.equal((await send({ eventType: 'Bounce' })).status, 400, 'raw delivery is not signed')
  const { counts, topic_arn } = (await get(`/api/provider_hooks/${hook.id}`)).body
  assert.deepEqual([counts.unverified, counts.received, topic_arn], [wrong.length, 0, null])

  assert.equal((await send(good)).status, 200)
  const other = signed(notification('{}', { TopicArn: `${TOPIC}2` }))
  assert.equal((await send(other)).status, 403, 'one topic a hook')
})
