import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import sql from 'sql-template-tag'
import { Database } from '../db/database.ts'
import { replayJournal } from '../features/privacy/journal.ts'
import { keepAllWords, keepWords, readWords, wordFiles } from '../features/privacy/words.ts'
import { replayWords } from '../features/privacy/words-replay.ts'
import { marksOf } from '../features/subscriptions/suppressions.ts'
import { Refusal } from '../lib/refusal.ts'
import { parseKeyring } from '../lib/secret.ts'
import { keyring, type TestApp, testApp } from './app.ts'
import { atEnd, databaseCopy } from './database.ts'
import { act, EMAILS, LIMITS, newWorld } from './histories.ts'
import { took } from './imports.ts'
import { confirmationLink, press, unsubscribeLink } from './permission.ts'

const mail = (name: string) => `${name}@example.com`

async function putAside(t: TestContext, { db }: TestApp): Promise<Database> {
  const copy = new Database({ url: await databaseCopy(t, db), max: 4 })
  atEnd(t, () => copy.close())
  return copy
}

const statesIn = async (db: Database, accountId: number): Promise<Record<string, string>> => {
  const rows = await db.query<{ name: string; state: string }>(sql`
    select split_part(email, '@', 1) as name, state from contacts where account_id = ${accountId} order by 1`)
  return Object.fromEntries(rows.map(({ name, state }) => [name, state]))
}

const filesOf = async ({ files, accountId }: TestApp) => [...(await wordFiles(files, accountId)).values()]

const allIn = async (made: TestApp) =>
  Promise.all((await filesOf(made)).map((key) => readWords(made.files, keyring, key)))

test('what was said after a copy was made is known to it once it is put back; what only callers have said is not', async (t) => {
  const made = await testApp(t)
  const { post, patch, del, db, files, accountId } = made
  const parts = { db, files, keyring }
  const list = (await post('/api/contact_lists', { name: 'News' })).body.id
  const people = ['ann', 'bob', 'cat', 'dan', 'eve', 'gil', 'ida', 'joe', 'kim']
  for (const name of people) await post('/api/contacts', { email: mail(name), list_ids: [list] })
  await post(`/api/contacts/${mail('dan')}/unsubscribe`)
  await post(`/api/contacts/${mail('kim')}/unsubscribe`, { list_id: list })
  await keepAllWords(parts)
  const old = await putAside(t, made)

  await press(made, await unsubscribeLink(made, mail('ann')))
  await post(`/api/contacts/${mail('bob')}/unsubscribe`, { list_id: list })
  await post(`/api/contacts/${mail('cat')}/unsubscribe`)
  await del(`/api/contacts/${mail('cat')}`)
  await press(made, await confirmationLink(made, mail('dan')))
  await post(`/api/contacts/${mail('eve')}/unsubscribe`)
  await post('/api/contacts', { email: mail('fay') })
  await post(`/api/contacts/${mail('fay')}/unsubscribe`)
  await post(`/api/contacts/${mail('gil')}/unsubscribe`)
  await patch(`/api/contacts/${mail('gil')}`, { email: mail('gil.new') })
  await patch(`/api/contacts/${mail('ida')}`, { unsubscribed: true })
  await keepAllWords(parts)
  // Taken back in a later file than the word itself.
  await press(made, await confirmationLink(made, mail('eve')))
  await keepAllWords(parts)

  const again = { db: old, files, keyring }
  // Two processes that start at once.
  await Promise.all([replayWords(again), replayWords(again)])

  assert.deepEqual(await statesIn(old, accountId), {
    ...{ ann: 'unsubscribed', bob: 'subscribed', cat: 'unsubscribed', dan: 'unsubscribed', eve: 'subscribed' },
    ...{ gil: 'unsubscribed', ida: 'subscribed', joe: 'subscribed', kim: 'subscribed' },
  })
  const out = await old.query(sql`
    select split_part(email, '@', 1) as name from list_opt_outs where account_id = ${accountId} and list_id = ${list} order by 1`)
  assert.deepEqual(out, [{ name: 'bob' }, { name: 'kim' }])
  const [members] = await old.query<{ names: string[] }>(sql`
    select array_agg(split_part(c.email, '@', 1) order by 1) as names from list_members as m join contacts as c on c.id = m.contact_id
    where m.account_id = ${accountId} and c.state = 'subscribed'`)
  assert.deepEqual(members!.names, ['eve', 'ida', 'joe'])
  const marks = await marksOf(old, keyring, accountId, [mail('fay'), mail('joe')])
  assert.deepEqual([...marks], [[mail('fay'), 'withdrawn']])
  const [word] = await old.query(sql`
    select action, grade, source, actor from consents as k join contacts as c on c.id = k.contact_id
    where c.email = ${mail('ann')} order by k.id desc limit 1`)
  assert.deepEqual(word, { action: 'withdrawn', grade: 'asserted', source: 'journal', actor: 'system' })
  assert.equal(await replayWords(again), 0)
  assert.equal(await replayWords(parts), 0, 'to whoever has said it, it is no news')
})

test('who has said yes since a file was written, which nobody noted, is not taken back', async (t) => {
  const made = await testApp(t)
  const { post, db, files, accountId } = made
  const list = (await post('/api/contact_lists', { name: 'News', public: true })).body.id
  await post('/api/contacts', { email: mail('ann'), list_ids: [list] })
  await post(`/api/contacts/${mail('ann')}/unsubscribe`)
  await keepAllWords({ db, files, keyring })
  await db.query(sql`delete from word_journals`) // as if the process had ended in between
  await press(made, await confirmationLink(made, mail('ann')))

  await replayWords({ db, files, keyring })

  assert.deepEqual(await statesIn(db, accountId), { ann: 'subscribed' })
})

test('the files are sealed, and one that can not be opened is refused with the cure', async (t) => {
  const made = await testApp(t)
  const { post, db, files, filesAt, accountId } = made
  await post('/api/contacts', { email: mail('ann') })
  const old = await putAside(t, made)
  await post(`/api/contacts/${mail('ann')}/unsubscribe`)
  await keepAllWords({ db, files, keyring })
  const [key] = await filesOf(made)
  const path = join(filesAt.home, 'files', key!)
  const whole = readFileSync(path)
  assert.doesNotMatch(whole.toString('latin1'), /ann|example/)

  const others = parseKeyring('another-secret-that-only-this-test-knows-01')
  for (const [ring, damaged, words] of [
    [others, whole, /key [0-9a-f]{8}, which ROLLCALL_SECRET/],
    [keyring, whole.subarray(0, 60), /can not be read.*put it back from your backup/],
    [keyring, Buffer.from(whole.map((byte, at) => (at === 50 ? byte ^ 1 : byte))), /can not be read/],
  ] as const) {
    writeFileSync(path, damaged)
    await assert.rejects(replayWords({ db: old, files, keyring: ring }), (error) => {
      assert.ok(error instanceof Refusal && words.test(error.message), String(error))
      return true
    })
    assert.deepEqual(await statesIn(old, accountId), { ann: 'subscribed' })
  }
  writeFileSync(path, whole)
  await replayWords({ db: old, files, keyring: [...others, ...keyring] as never })
  assert.deepEqual(await statesIn(old, accountId), { ann: 'unsubscribed' })
})

test('many files become one that says the same, and nothing is written where nothing was said', async (t) => {
  const made = await testApp(t)
  const { post, db, files, accountId } = made
  const parts = { db, files, keyring }
  await keepAllWords(parts)
  assert.deepEqual(await filesOf(made), [])
  for (const name of ['ann', 'bob', 'cat', 'dan']) await post('/api/contacts', { email: mail(name) })
  const old = await putAside(t, made)
  for (const name of ['ann', 'bob', 'cat']) {
    await post(`/api/contacts/${mail(name)}/unsubscribe`)
    await keepWords(parts, accountId)
  }
  assert.equal((await filesOf(made)).length, 3)
  await press(made, await confirmationLink(made, mail('cat')))

  await keepWords(parts, accountId, { most: 3 })

  const [only, ...more] = await allIn(made)
  assert.deepEqual([only!.words.map(({ email }) => email).sort(), more], [[mail('ann'), mail('bob')], []])
  await replayWords({ db: old, files, keyring })
  assert.deepEqual(await statesIn(old, accountId), {
    ...{ ann: 'unsubscribed', bob: 'unsubscribed', cat: 'subscribed', dan: 'subscribed' },
  })
})

test('no file has a word of somebody who was erased, and no copy brings them back by one', async (t) => {
  const made = await testApp(t)
  const { post, del, db, files, accountId } = made
  const list_id = (await post('/api/contact_lists', { name: 'News' })).body.id
  for (const name of ['ann', 'bob']) {
    await post('/api/contacts', { email: mail(name) })
    await post(`/api/contacts/${mail(name)}/unsubscribe`, { list_id })
    await post(`/api/contacts/${mail(name)}/unsubscribe`)
  }
  await keepAllWords({ db, files, keyring })
  const { body: receipt } = await del(`/api/contacts/${mail('ann')}/gdpr_delete`)
  // Before the files have been looked through, as after a start in between.
  await db.query(sql`delete from word_journals`)
  await replayWords({ db, files, keyring })
  assert.deepEqual(await db.query(sql`select email from list_opt_outs`), [{ email: mail('bob') }])
  await made.runJobs()

  assert.deepEqual(
    (await allIn(made)).flatMap(({ words }) => words.map(({ email, list }) => [email, list])),
    [
      [mail('bob'), null],
      [mail('bob'), list_id],
    ],
  )
  assert.equal((await made.get(`/api/erasures/${receipt.id}`)).body.counts.word_files, 1)
  await db.query(sql`delete from word_journals`)
  await replayWords({ db, files, keyring })
  assert.equal((await marksOf(db, keyring, accountId, [mail('ann')])).get(mail('ann')), 'erased')
  const again = await took(made, `email\n${mail('ann')}\n`)
  assert.equal(again.suppressed_contacts_count, 1)
})

test('whatever has happened since a copy of the database was made, once it is put back nobody may be mailed whose last word was no', async (t) => {
  const made = await testApp(t, LIMITS)
  const { db, files, queue } = made
  let [nos, sendable] = [0, 0]
  // Few, as many acts end with everybody having left.
  const acts = fc.array(act, { minLength: 2, maxLength: 7, size: 'max' })
  const property = fc.asyncProperty(acts, acts, async (before, after) => {
    const world = await newWorld(made)
    for (const email of EMAILS)
      await world.run({ do: 'create', email, list: 0, unsubscribed: false, doubleOptIn: false })
    for (const step of before) await world.run(step)
    await keepAllWords({ db, files, keyring })
    const old = new Database({ url: await databaseCopy(t, db), max: 4 })
    try {
      const spoken = new Set(world.no)
      for (const step of after) await world.run(step)
      await keepAllWords({ db, files, keyring })

      await replayJournal(old, { files, keyring, queue })
      await replayWords({ db: old, files, keyring })

      const { accountId } = world.tenant
      const people = await old.query<{ id: string; email: string; state: string; lists: number[] }>(sql`
        select id, email, state, array(
          select list_id from list_members as m where m.account_id = c.account_id and m.contact_id = c.id) as lists
        from contacts as c where account_id = ${accountId}`)
      for (const { id, email, state, lists } of people) {
        const now = world.people.find((person) => person.email === email)
        if (now && now.id !== id) continue // somebody else, who has got the address since
        assert.ok(
          !(state === 'subscribed' && world.no.has(email)),
          `${email} has said no, and is subscribed in the copy`,
        )
        for (const list of now ? lists : [])
          assert.ok(!world.noList.has(`${list} ${email}`), `${email} has left ${list}, and is in it in the copy`)
      }
      nos += [...world.no].filter((email) => !spoken.has(email)).length
      sendable += people.filter(({ state }) => state === 'subscribed').length
    } finally {
      await old.close()
    }
  })
  await fc.assert(property, {
    numRuns: Number(process.env.HISTORIES ?? 20),
    seed: 6,
    endOnFailure: true,
    maxSkipsPerRun: 0,
  })
  assert.ok(
    nos > 3 && sendable > 3,
    `${nos} said no after the copy, ${sendable} could be mailed: else it shows nothing`,
  )
})
