import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import sql from 'sql-template-tag'
import { keyring, type TestApp, testApp } from '../../test/app.ts'
import { person } from '../../test/imports.ts'
import { runJobs, takeJobs } from '../../test/jobs.ts'
import { type MailServer, mailServer } from '../../test/mail-server.ts'
import { latestMail, linkIn, press } from '../../test/permission.ts'
import { allJobs } from '../../worker.ts'
import { sendMail } from './jobs.ts'

const ANN = 'ann@example.com'

async function withServer(
  t: TestContext,
  settings: Record<string, string> = {},
): Promise<TestApp & { smtp: MailServer }> {
  const smtp = await mailServer(t)
  const mail = { SMTP_URL: smtp.url, MAIL_FROM: 'news@rollcall.example', SMTP_TIMEOUT_S: '1' }
  const made = await testApp(t, { ...mail, PUBLIC_URL: 'https://people.example/rollcall/', ...settings })
  return { ...made, smtp }
}

const typesOf = async ({ get }: TestApp) =>
  ((await get(`/api/contacts/${ANN}/events`)).body.data as { types: string[] }[]).map(({ types }) => types)

test('a mail goes to the server as its template says, and is noted once it is taken', async (t) => {
  const made = await withServer(t)
  await made.patch('/api/account', { name: 'Müller\u2028\r\nBcc: all@example.com', color: '#123456' })
  await made.patch('/api/templates/confirm_subscription', { subject: 'Hi {{ contact.first_name }} <ö>' })
  const name = 'Ann\r\nBcc: everyone@example.com\r\n\r\n<script>'
  await made.post('/api/contacts', { email: 'ann@exämple.com', double_opt_in: true, fields: { first_name: name } })
  assert.equal((await latestMail(made, 'ann@exämple.com')).phase, 'queued')

  await made.runJobs()

  const [mail] = made.smtp.mails
  assert.equal(made.smtp.mails.length, 1)
  assert.equal(mail!.subject, 'Hi Ann Bcc: everyone@example.com <script> <ö>')
  assert.equal(mail!.from!.text.replaceAll('"', ''), 'Müller Bcc: all@example.com <news@rollcall.example>')
  const [head] = made.smtp.raw[0]!.split('\r\n\r\n')
  assert.doesNotMatch(head!, /^bcc:/im)
  assert.match(head!, /^To: ann@xn--exmple-cua\.com$/m)
  assert.match(head!, /^Auto-Submitted: auto-generated$/m)
  assert.doesNotMatch(head!, /^List-Unsubscribe/im)
  assert.match(mail!.html as string, /Ann[\s\S]*Bcc: everyone@example\.com[\s\S]*&lt;script&gt;/)
  assert.match(mail!.text!, /https:\/\/people\.example\/rollcall\/confirm\/\d+-[\w-]{43}\n/)
  const kept = await latestMail(made, 'ann@exämple.com')
  assert.deepEqual([kept.phase, kept.attempts, kept.error, kept.template_version], ['sent', 1, null, 1])
  assert.equal(mail!.messageId, `<${kept.id}@rollcall.example>`)
  assert.equal(kept.to, 'ann@exämple.com')
})

test('the headers of a mail are shown as they went out; without a server nobody knows the sender', async (t) => {
  const made = await withServer(t)
  await made.post('/api/contacts', { email: ANN })
  await made.post('/api/templates/welcome_email/send', { email: ANN })
  await made.runJobs()
  const { headers, ...mail } = await latestMail(made, ANN)

  const [head] = made.smtp.raw[0]!.split('\r\n\r\n')
  const sent = head!.replaceAll(/\r\n\s+/g, ' ').split('\r\n')
  for (const { name, value } of headers) assert.ok(sent.includes(`${name}: ${value}`), `${name}: ${value}\n${head}`)
  const names = headers.map(({ name }: { name: string }) => name)
  assert.deepEqual(names, [
    ...['From', 'To', 'Subject', 'Message-ID'],
    ...['Auto-Submitted', 'List-Unsubscribe', 'List-Unsubscribe-Post'],
  ])
  assert.equal(mail.email, ANN)

  const alone = await testApp(t)
  await alone.post('/api/contacts', { email: ANN, double_opt_in: true })
  assert.deepEqual((await latestMail(alone, ANN)).headers, [
    { name: 'From', value: 'First' },
    { name: 'To', value: ANN },
    { name: 'Subject', value: 'Please confirm: news from First' },
    { name: 'Auto-Submitted', value: 'auto-generated' },
  ])
})

test('mails are gone through by cursor, the latest first, of one contact and one phase', async (t) => {
  const made = await testApp(t)
  await made.post('/api/contacts', { email: ANN })
  await made.post('/api/contacts', { email: 'bob@example.com', double_opt_in: true })
  for (let at = 0; at < 4; at++) await made.post('/api/templates/welcome_email/send', { email: ANN })
  await made.db.query(sql`
    update messages set phase = 'failed' where id = (select id from messages where template = 'welcome_email' order by id limit 1)`)
  const walk = async (query: string) => {
    const found: { id: string; email: string; phase: string }[] = []
    for (let cursor = ''; ; ) {
      const { body } = await made.get(`/api/messages?per_page=2&${query}${cursor}`)
      found.push(...body.data)
      if (body.next_cursor === null) return { found, total: body.total as number }
      cursor = `&cursor=${body.next_cursor}`
      await made.post('/api/templates/welcome_email/send', { email: ANN }) // what comes meanwhile stands before
    }
  }

  const all = await walk('')
  const ids = all.found.map(({ id }) => id)
  assert.deepEqual([ids, all.total], [ids.toSorted().reverse(), 5])
  assert.equal(new Set(ids).size, 5)
  assert.deepEqual(
    all.found.map(({ email }) => email),
    [ANN, ANN, ANN, ANN, 'bob@example.com'],
  )
  assert.deepEqual((await walk('phase=failed')).found.length, 1)
  assert.deepEqual((await walk('contact=bob@example.com&phase=kept')).found.length, 1)
  assert.deepEqual((await walk('contact=bob@example.com&phase=failed')).found.length, 0)
  const { next_cursor: cursor } = (await made.get('/api/messages?per_page=1')).body
  assert.equal((await made.get(`/api/messages?phase=kept&cursor=${cursor}`)).status, 422)
})

test('what the server can not take now is tried again; what it refuses for good is not', async (t) => {
  const made = await withServer(t)
  made.smtp.moods.push(451, 'drop', 'stall', 'take')
  await made.post('/api/contacts', { email: ANN, double_opt_in: true })
  await made.runJobs()

  assert.equal(made.smtp.mails.length, 1)
  const sent = await latestMail(made, ANN)
  assert.deepEqual([sent.phase, sent.attempts], ['sent', 4])
  assert.deepEqual(await typesOf(made), [['confirmation_sent', 'email_sent'], ['created']])

  made.smtp.moods.push(550)
  await made.post(`/api/contacts/${ANN}/resubscribe`)
  await made.runJobs()
  const failed = await latestMail(made, ANN)
  assert.deepEqual([failed.phase, failed.attempts, failed.error], ['failed', 1, 'the mail server answered 550'])
  assert.equal((await typesOf(made)).length, 2, 'a mail that never went is no activity')
  const [quoted] = await made.db.query<{ count: number }>(sql`
    select count(*) as count from pgboss.job where output::text like '%ann@%' or data::text like '%ann@%'`)
  assert.equal(quoted!.count, 0, "the server's words, which quote addresses, are kept nowhere")
})

test('a mail is given up when the server has failed for hours, and a server that is not there is one that fails', async (t) => {
  const made = await withServer(t, { SMTP_URL: 'smtp://127.0.0.1:9' })
  await made.post('/api/contacts', { email: ANN, double_opt_in: true })
  await made.db.query(sql`update messages set attempts = 54`)
  await made.runJobs()

  const failed = await latestMail(made, ANN)
  assert.equal(failed.phase, 'failed')
  assert.match(failed.error, /^the mail server could not be used \(E\w+\)$/)
})

test('a mail whose link is void by the time it would go does not go', async (t) => {
  const made = await withServer(t)
  await made.post('/api/contacts', { email: ANN, double_opt_in: true })
  await made.post(`/api/contacts/${ANN}/unsubscribe`)
  await made.post('/api/contacts', { email: 'bob@example.com', double_opt_in: true })
  await made.del('/api/contacts/bob@example.com')
  await made.post('/api/contacts', { email: 'cat@example.org', double_opt_in: true })
  await made.post('/api/suppressions', { entries: ['example.org'] })
  await made.runJobs()

  assert.equal(made.smtp.connections(), 0)
  for (const email of [ANN, 'cat@example.org']) assert.equal((await latestMail(made, email)).phase, 'cancelled', email)
})

test('a mail of a list that waits does not go to who has left that list meanwhile, nor one to an address that was changed', async (t) => {
  const made = await withServer(t)
  const lists: number[] = []
  for (const name of ['News', 'Offers']) lists.push((await made.post('/api/contact_lists', { name })).body.id)
  await made.post('/api/contacts', { email: ANN, list_ids: lists })
  await made.post('/api/contacts', { email: 'bob@example.com' })
  for (const list_id of lists) await made.post('/api/templates/welcome_email/send', { email: ANN, list_id })
  await made.post('/api/templates/welcome_email/send', { email: 'bob@example.com' })

  await made.post(`/api/contacts/${ANN}/unsubscribe`, { list_id: lists[0] })
  await made.patch('/api/contacts/bob@example.com', { email: 'robert@example.com' })
  await made.runJobs()

  assert.deepEqual(
    made.smtp.mails.map((mail) => mail.to),
    [made.smtp.mails[0]!.to],
    'the other list’s alone',
  )
  assert.equal((await latestMail(made, ANN)).phase, 'sent')
  assert.equal((await latestMail(made, 'robert@example.com')).phase, 'cancelled')
  assert.equal((await made.get(`/api/messages?contact=${ANN}&phase=cancelled`)).body.total, 1)
})

test('after a crash between the answer of the server and ours, the mail goes again as the same one', async (t) => {
  const made = await withServer(t)
  await made.post('/api/contacts', { email: ANN, double_opt_in: true })
  const [payload] = await takeJobs<{ accountId: number; messageId: string }>(made.db, sendMail.name)
  const { db, config, files, filesAt, queue } = made
  const job = allJobs({ db, files, filesAt, queue, keyring, config }).find(({ name }) => name === sendMail.name)!
  const run = () => job.run(payload!, new AbortController().signal)

  await db.query(sql`alter table messages add constraint crash check (phase <> 'sent') not valid`)
  await assert.rejects(run())
  await db.query(sql`alter table messages drop constraint crash`)
  await run()
  await run()

  assert.equal(made.smtp.mails.length, 2, 'what is known to be sent is not sent again')
  assert.equal(new Set(made.smtp.mails.map((mail) => mail.messageId)).size, 1)
  assert.deepEqual(await typesOf(made), [['confirmation_sent', 'email_sent'], ['created']])
})

test('with a mail server and no PUBLIC_URL nothing is sent, nothing changed, and the answer has the cure', async (t) => {
  const made = await withServer(t, { PUBLIC_URL: '' })
  await made.post('/api/contacts', { email: ANN })
  await made.post(`/api/contacts/${ANN}/unsubscribe`)

  const answers = [
    await made.post(`/api/contacts/${ANN}/resubscribe`),
    await made.post('/api/contacts', { email: 'new@example.com', double_opt_in: true }),
  ]
  for (const { status, body } of answers) {
    assert.equal(status, 409)
    assert.match(body.errors, /set PUBLIC_URL/)
  }
  assert.equal((await made.get('/api/contacts/new@example.com')).status, 404)
  assert.equal((await made.get('/api/messages')).body.total, 0)
})

test('without a mail server mails wait to be read, sealed in the database, and their links work', async (t) => {
  const made = await testApp(t)
  await made.post('/api/contacts', { email: ANN, double_opt_in: true })
  const mail = await latestMail(made, ANN)

  assert.equal(mail.phase, 'kept')
  const secret = linkIn(mail).split('-').at(-1)!
  const [stored] = await made.db.query<{ text: string }>(sql`
    select (select string_agg(m::text, '') from messages as m) || (select string_agg(c::text, '') from confirmations as c)
      || (select string_agg(e::text, '') from events as e) as text`)
  assert.ok(!stored!.text.includes(secret))
  assert.ok(!stored!.text.includes(Buffer.from(secret).toString('hex')))
  await press(made, linkIn(mail))
  assert.equal((await person(made, ANN)).state, 'subscribed')
  const reader = (await made.get('/api/messages')).body
  assert.ok(!JSON.stringify(reader).includes(secret), 'the list of mails holds no links')
})

test('mails that were queued before the server was taken away fail, and say why', async (t) => {
  const made = await withServer(t)
  await made.post('/api/contacts', { email: ANN, double_opt_in: true })
  const { db, files, filesAt, queue, config } = made
  const { SMTP_URL: _, ...rest } = config
  await runJobs(db, allJobs({ db, files, filesAt, queue, keyring, config: rest }))

  const failed = await latestMail(made, ANN)
  assert.deepEqual([failed.phase, failed.error], ['failed', 'SMTP_URL is not set any more'])
})

test('a mail that was refused is sent again as the same one, once the server takes it, and its link works', async (t) => {
  const made = await withServer(t, { PUBLIC_URL: 'https://people.example' })
  made.smtp.moods.push(550, 451, 'take')
  await made.post('/api/contacts', { email: ANN, double_opt_in: true })
  await made.runJobs()
  const failed = await latestMail(made, ANN)
  assert.equal(failed.phase, 'failed')
  const retry = () => made.post(`/api/messages/${failed.id}/retry`)

  const answers = await Promise.all([retry(), retry()])
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 409], 'two who press at once send one mail')
  const { data } = answers.find(({ status }) => status === 200)!.body
  assert.deepEqual([data.id, data.phase, data.attempts, data.error], [failed.id, 'queued', 0, null])
  await made.runJobs()

  const sent = await latestMail(made, ANN)
  assert.deepEqual([sent.id, sent.phase, sent.attempts, sent.error], [failed.id, 'sent', 2, null])
  assert.deepEqual(
    made.smtp.mails.map(({ messageId }) => messageId),
    [`<${failed.id}@rollcall.example>`],
  )
  assert.match((await retry()).body.errors, /^It is sent/)
  await press(made, linkIn(sent))
  assert.equal((await person(made, ANN)).state, 'subscribed')
  const log = (await made.get(`/api/accounts/${made.accountId}/audit`)).body.data as { action: string; data: object }[]
  assert.deepEqual(
    log.filter(({ action }) => action === 'mail_retried').map((row) => row.data),
    [{ message_id: failed.id }],
  )
})

test('a mail that failed is not sent again when what it says is over, by whoever has no right, or without a server', async (t) => {
  const made = await withServer(t)
  const { db, call } = made
  /** Whoever `email` is, a mail to them has just failed. */
  const failedTo = async (email: string, send: () => Promise<unknown>) => {
    made.smtp.moods.push(550)
    await send()
    await made.runJobs()
    const { id, phase } = await latestMail(made, email)
    assert.equal(phase, 'failed')
    return id as string
  }
  const refusedFor = async (id: string) => {
    const { status, body } = await made.post(`/api/messages/${id}/retry`)
    assert.equal(status, 409)
    return body.errors as string
  }
  const ask = (email: string) => () => made.post('/api/contacts', { email, double_opt_in: true })
  const greet = (email: string) => async () => {
    await made.post('/api/contacts', { email })
    await made.post('/api/templates/welcome_email/send', { email })
  }

  const void_ = await failedTo('void@example.com', ask('void@example.com'))
  await made.post('/api/contacts/void@example.com/unsubscribe')
  assert.match(await refusedFor(void_), /^Its link has expired, or was used or taken back/)
  const late = await failedTo('late@example.com', ask('late@example.com'))
  await db.query(sql`update confirmations set expires_at = now() - interval '1 second'`)
  assert.match(await refusedFor(late), /^Its link has expired/)
  const left = await failedTo('left@example.com', greet('left@example.com'))
  await made.post('/api/contacts/left@example.com/unsubscribe')
  assert.match(await refusedFor(left), /may not be mailed any more/)
  const moved = await failedTo('before@example.com', greet('before@example.com'))
  await made.patch('/api/contacts/before@example.com', { email: 'after@example.com' })
  assert.match(await refusedFor(moved), /address that it was for has been changed/)
  const sealed = await failedTo('sealed@example.com', greet('sealed@example.com'))
  const [{ content }] = (await db.query<{ content: Buffer }>(
    sql`select content from messages where id = ${sealed}::uuid`,
  )) as [{ content: Buffer }]
  await db.query(sql`update messages set content = '\\x00' where id = ${sealed}::uuid`)
  assert.match(await refusedFor(sealed), /can not be read any more/)
  await db.query(sql`update messages set content = ${content} where id = ${sealed}::uuid`)

  const other = await made.another()
  assert.equal((await other.call('POST', `/api/messages/${sealed}/retry`)).status, 404)
  assert.equal((await call('POST', '/api/messages/nonsense/retry')).status, 404)
  assert.equal((await call('POST', `/api/messages/${sealed}/retry`)).status, 200, 'and nothing else stands against it')
})
