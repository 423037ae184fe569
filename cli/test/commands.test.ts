import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { rollcall } from '../../sdk/src/rollcall.ts'
import { live } from '../../server/test/live.ts'
import { enterMany } from '../../server/test/people.ts'
import { until } from '../../server/test/until.ts'
import { printableLines } from '../text.ts'
import { Terminal } from './terminal.ts'

test('the commands over the API, as a user meets them', async (t) => {
  const made = await live(t, { WEBHOOK_ALLOW_PRIVATE: 'true' })
  const terminal = new Terminal(t)

  await t.test('a profile is kept, readable by its owner alone, and is what later commands are for', async () => {
    const none = await terminal.run(['lists', 'list'])
    assert.deepEqual(
      [none.code, none.err],
      [1, 'rollcall: no service is named: run rollcall login, or set ROLLCALL_URL and ROLLCALL_TOKEN\n'],
    )
    const bad = await terminal.run(['login', '--url', made.origin], { stdin: 'rc_nope\n' })
    assert.equal(bad.code, 4)
    const { code, out } = await terminal.run(['login', '--url', made.origin], { stdin: `${made.token}\n` })
    assert.equal(code, 0)
    assert.doesNotMatch(out, new RegExp(made.token))
    const path = terminal.path('.config/rollcall/config.json')
    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.deepEqual(JSON.parse(readFileSync(path, 'utf8')).profiles.default, { url: made.origin, token: made.token })
    const typed = await terminal.run(['login', '--url', made.origin, '--profile', 'typed'], {
      stdin: `${made.token}x\u007f\r`,
      isTerminal: true,
    })
    assert.equal(typed.code, 0, typed.err)
    assert.deepEqual(
      (await terminal.json('profiles')).map(({ name }: { name: string }) => name),
      ['default', 'typed'],
    )
    assert.equal((await terminal.run(['logout', '--profile', 'typed'])).code, 0)
    assert.match(
      (await terminal.run(['lists', 'list', '--profile', 'nope'])).err,
      /there is no profile nope: there are default/,
    )
    const elsewhere = await terminal.run(['lists', 'list'], { env: { ROLLCALL_URL: 'http://127.0.0.1:1' } })
    assert.match(elsewhere.err, /names another service than the profile/, 'a token goes to no other service')
    assert.equal((await terminal.run(['lists', 'list'])).code, 0)
  })

  await t.test('people are entered, found, changed, explained and removed', async () => {
    const ada = ['ada@example.com', '--field', 'first_name=Ada', '--field', 'last_name=Lovelace', '--tag', 'customer']
    assert.equal((await terminal.json('lists', 'create', 'News')).name, 'News')
    const created = await terminal.json('contacts', 'create', ...ada, '--list', 'news')
    assert.deepEqual([created.email, created.list_ids.length], ['ada@example.com', 1])
    await terminal.json('fields', 'create', 'Seats', '--type', 'integer')
    assert.equal((await terminal.json('contacts', 'update', 'ada@example.com', '--field', 'seats=12')).fields.seats, 12)
    for (const question of [
      ['love'],
      ['--where', 'seats[gte]=12'],
      ['--criteria', '{"tag":"customer"}'],
      ['--list', 'News', '--tag', 'customer'],
    ])
      assert.deepEqual(
        (await terminal.json('contacts', 'find', ...question)).map(({ email }: { email: string }) => email),
        ['ada@example.com'],
      )
    const piped = await terminal.run(['contacts', 'find', '--criteria', '-', '--json'], {
      stdin: '{"field":"seats","op":"eq","value":12}',
    })
    assert.equal(JSON.parse(piped.out).length, 1)
    assert.deepEqual(await terminal.json('contacts', 'find', 'nobody'), [])
    assert.match(
      (await terminal.run(['contacts', 'find'])).out,
      /^EMAIL +NAME +STATE.*\nada@example.com {2}Ada Lovelace {2}subscribed {2}yes/,
    )
    const timeline = await terminal.run(['contacts', 'timeline', 'ada@example.com'])
    assert.match(timeline.out, /updated[\s\S]*created, subscribed, list_added/)
    await terminal.json(
      'lists',
      'create',
      'Large',
      '--criteria',
      '{"all":[{"field":"seats","op":"gte","value":50},{"tag":"customer"}]}',
    )
    const why = await terminal.run(['contacts', 'explain', 'ada@example.com', '--list', 'Large'])
    assert.match(
      why.out,
      /^No\.\n(.*\n)*\s*no {3}\{"field":"seats","op":"gte","value":50\}; it saw 12\n\s*yes {2}\{"tag":"customer"\}/m,
    )
    assert.match((await terminal.run(['segments', 'preview', '{"tag":"customer"}'])).out, /^1 contact\n\nEMAIL/)
    assert.deepEqual(await terminal.json('lists', 'add', 'Fresh', 'ada@example.com', 'ghost@example.com'), {
      added: 1,
      already_members: 0,
      opted_out: 0,
      not_found: 1,
    })
    assert.equal((await terminal.json('lists', 'members', 'Fresh')).length, 1)
    await terminal.json('contacts', 'create', 'gone@example.com')
    const asked = await terminal.run(['contacts', 'delete', 'gone@example.com'])
    assert.deepEqual([asked.code, asked.err], [1, 'rollcall: nobody was removed: say --yes\n'])
    const agreed = await terminal.run(['contacts', 'delete', 'gone@example.com'], { stdin: 'y\n', isTerminal: true })
    assert.deepEqual([agreed.code, agreed.out], [0, 'Removed gone@example.com.\n'])
    assert.equal((await terminal.run(['contacts', 'get', 'gone@example.com'])).code, 5)
  })

  await t.test('names can play no tricks on a terminal, and colours are for terminals alone', async () => {
    await made.post('/api/contacts', {
      email: 'evil@example.com',
      fields: { first_name: 'A\u001b]0;pwned\u0007\u202e', last_name: '\u009b2J' },
    })
    const shown = await terminal.run(['contacts', 'find', 'evil'], { isTerminal: true })
    assert.ok(shown.out.startsWith('\u001b[1mEMAIL'), 'the header is bold')
    assert.match(shown.out, /A\\u001b\]0;pwned\\u0007\\u202e \\u009b2J/)
    const json = await terminal.run(['contacts', 'get', 'evil@example.com', '--json'])
    const said = json.out + shown.out.replaceAll('\u001b[1m', '').replaceAll('\u001b[0m', '')
    assert.equal(printableLines(said), said)
    assert.equal(JSON.parse(json.out).fields.last_name, '\u009b2J')
    const plain = await terminal.run(['contacts', 'find', 'evil'], { isTerminal: true, env: { NO_COLOR: '1' } })
    assert.ok(plain.out.startsWith('EMAIL'))
    const exported = await terminal.run(['export', '--query', 'evil'], { isTerminal: true })
    assert.match(exported.out, /A\\u001b\]0;pwned/)
    await made.del('/api/contacts/evil@example.com')
  })

  await t.test('a file is tried, brought in and taken back, in numbers that add up', async () => {
    const path = terminal.path('people.csv')
    writeFileSync(
      path,
      'Email Address,First,Junk\ngrace@example.com,Grace,x\nbad,B,x\ngrace@example.com,Grace,y\nada@example.com,Augusta,z\n',
    )
    const command = [
      'import',
      path,
      '--list',
      'News',
      '--map',
      'Email Address=email',
      '--map',
      'First=first_name',
      '--map',
      'Junk=',
      '--update',
    ]
    const tried = await terminal.run([...command, '--dry-run'], { isTerminal: true })
    assert.equal(tried.code, 0, tried.err)
    const [, id] = /Import (\d+) of people.csv is ready/.exec(tried.out)!
    const numbers = [...tried.out.matchAll(/^ +(\d+) {2}/gm)].map(([, n]) => Number(n))
    assert.deepEqual([numbers.at(-1), numbers.slice(0, -1).reduce((sum, n) => sum + n)], [4, 4])
    assert.match(tried.err, /sending {3}\[█+\] 100 %/)
    assert.equal((await terminal.json('changes', 'diff', id!)).length, 4)
    const applied = await terminal.run(['changes', 'apply', id!, '--yes'])
    assert.match(applied.out, /^import \d+ is finished: /)
    assert.match((await terminal.run(['imports', 'rejected', id!])).out, /^Email Address,First,Junk,.*\r\nbad,B,x,/)
    const preview = await terminal.run(['changes', 'revert', id!])
    assert.deepEqual([preview.code, preview.err], [1, 'rollcall: nothing was reverted: say --yes\n'])
    assert.match(preview.out, /^ +1 {2}removed, as it had entered them/m)
    assert.deepEqual((await terminal.json('changes', 'revert', id!, '--dry-run')).counts, {
      removed: 1,
      restored: 1,
      kept: 0,
      gone: 0,
    })
    assert.equal((await terminal.run(['changes', 'revert', id!, '--yes'])).code, 0)
    assert.equal((await made.get('/api/contacts/ada@example.com')).body.data.fields.first_name, 'Ada')
    const sent = await terminal.run(['import', '-', '--tag', 'piped', '--json'], {
      stdin: 'email\npiped@example.com\n',
    })
    assert.deepEqual([JSON.parse(sent.out).phase, JSON.parse(sent.out).created_contacts_count], ['finished', 1])
    const strict = await terminal.run(['import', path, '--map', 'Email Address=email', '--strict'])
    assert.equal(strict.code, 1)
    assert.match(strict.err, /^rollcall: 1 row is invalid, and nothing was imported: .*\n$/)
  })

  await t.test(
    'what a file has wrong is mended for all of its rows, and the report says where its columns go',
    async () => {
      const path = terminal.path('crm.csv')
      const rows = ['Mel <mel@example.com>,gold plan,m', 'two@example.com; 2@example.com,Gold,t', 'tre@example.com,-,r']
      writeFileSync(path, `Mail,Tier,E-Mail\n${rows.join('\n')}\n`)
      await made.post('/api/contact_fields', { name: 'Tier', type: 'select', options: ['Gold', 'Silver'] })
      const tried = await terminal.run(['import', path, '--map', 'Mail=email', '--map', 'E-Mail=note', '--dry-run'])
      const [, id] = /Import (\d+) of crm.csv is ready/.exec(tried.out)!
      assert.match(tried.out, /^ {2}columns: Mail → email, Tier → tier/m)
      assert.match(tried.out, /^ +3 {2}rejected$/m)
      assert.match(tried.out, new RegExp(`to mend a cause for the whole file: rollcall imports apply ${id} --rule`))
      const wrong = await terminal.run(['imports', 'apply', id!, '--value', 'tier=Gold'])
      assert.match(wrong.err, /^rollcall: --value takes COLUMN:FROM=TO, .* and not tier=Gold\n$/)
      const noRule = await terminal.run(['imports', 'apply', id!, '--rule', 'Mail=shout'])
      assert.match(noRule.err, /shout is no rule: there are trim, full_name, address, first_address\n$/)
      const mending = ['--rule', 'Mail=address', '--rule', 'Mail=first_address', '--value', 'tier:gold plan=Gold']
      const again = await terminal.run(['imports', 'apply', id!, ...mending, '--dry-run'])
      assert.match(again.out, /^ +2 {2}created$[\s\S]*^ +1 {2}rejected$/m)
      assert.equal((await made.get('/api/contacts/mel@example.com')).status, 404, 'nothing has changed yet')
      const applied = await terminal.run([
        'imports',
        'apply',
        id!,
        '--value',
        'tier:-=',
        '--value',
        'Tier:gold plan=Gold',
      ])
      assert.match(applied.out, /^ +3 {2}created$/m)
      const { fields } = (await made.get('/api/contacts/mel@example.com')).body.data
      assert.deepEqual(fields, { ...fields, tier: 'Gold', note: 'm' })
      assert.equal((await made.get('/api/contacts/tre@example.com')).body.data.fields.tier, undefined)
      await terminal.run(['changes', 'revert', id!, '--yes'])
    },
  )

  await t.test('what a model has proposed is approved as whoever is logged in', async () => {
    const client = rollcall({ url: made.origin, token: made.token })
    const { id } = await client.changeSets.start({
      selection: { criteria: { email: 'ada@example.com' } },
      action: { type: 'add_tags', tags: ['vip'] },
      dry_run: true,
    })
    await until(async () => (await client.changeSets.get(id)).phase === 'ready')
    const refused = await terminal.run(['mcp', 'approve', String(id)], { stdin: 'n\n', isTerminal: true })
    assert.deepEqual(
      [refused.code, /^Apply add tags \d+ \(1 updated, 1 selected\)\? \[y\/N\] /.test(refused.err)],
      [1, true],
    )
    assert.equal((await terminal.json('mcp', 'approve', String(id), '--yes')).phase, 'finished')
    assert.equal((await terminal.json('contacts', 'find', '--tag', 'vip')).length, 1)
    const list = await terminal.run(['mcp', 'create-list', '-', '--json'], {
      stdin: '{"name":"Vips","criteria":{"tag":"vip"}}',
    })
    assert.deepEqual([JSON.parse(list.out).name, JSON.parse(list.out).type], ['Vips', 'smart'])
    assert.deepEqual((await terminal.run(['mcp', 'approve', '999999'])).code, 5)
    const elsewhere = ['mcp', 'approve', String(id), '--url', 'http://127.0.0.1:1']
    assert.match((await terminal.run(elsewhere)).err, /names another service than the profile/)
    assert.equal((await terminal.run([...elsewhere, '--token', 'x'])).code, 3)
  })

  await t.test('exports go to a file or to stdout', async () => {
    const out = await terminal.run(['export', '--fields', 'email,seats', '--list', 'Fresh'])
    assert.equal(out.out, 'email,seats\nada@example.com,12\n')
    const path = terminal.path('all.xlsx')
    const saved = await terminal.json('export', path)
    assert.deepEqual([saved.contacts, readFileSync(path).subarray(0, 2).toString()], [2, 'PK'])
    assert.match(
      (await terminal.run(['export', '--format', 'ndjson', '--query', 'ada'])).out,
      /^\{.*"email":"ada@example.com".*\}\n$/,
    )
    const refused = await terminal.run(['export', '--format', 'xlsx'], { isTerminal: true })
    assert.match(refused.err, /xlsx is nothing to be read on a terminal/)
    assert.match((await terminal.run(['export', 'people.doc'])).err, /\.doc is no format of an export/)
  })

  await t.test('webhooks, suppressions and templates', async () => {
    const { id, secret } = await terminal.json(
      'webhooks',
      'create',
      'http://127.0.0.1:1/hook',
      '--types',
      'unsubscribed',
    )
    assert.match(secret, /^whsec_/)
    await terminal.json('webhooks', 'test', String(id))
    let delivery: { id: number; state: string } | undefined
    await until(async () => {
      delivery = (await terminal.json('webhooks', 'deliveries', String(id)))[0]
      return delivery?.state === 'failed'
    }, 60_000)
    await terminal.json('webhooks', 'redeliver', String(id), String(delivery!.id))
    assert.equal((await terminal.run(['webhooks', 'disable', String(id)])).code, 0)
    assert.match((await terminal.run(['webhooks', 'list'])).out, /no: /)
    assert.equal((await terminal.run(['webhooks', 'delete', String(id), '--yes'])).code, 0)
    const entries = await terminal.run(['suppressions', 'add', 'no@example.com', '--file', '-', '--json'], {
      stdin: '*.example.net\r\n\nno@example.com\n',
    })
    assert.deepEqual(JSON.parse(entries.out), { added: 2, known: 0, rejected: 0 }, entries.err)
    const [kept] = await terminal.json('suppressions', 'list', '--email', 'no@example.com')
    assert.equal((await terminal.run(['suppressions', 'remove', String(kept.id)])).code, 0)
    writeFileSync(terminal.path('t.html'), '<p>Hello {{contact.first_name}}</p>')
    await terminal.json(
      'templates',
      'create',
      'welcome',
      '--subject',
      'Hi',
      '--html',
      `@${terminal.path('t.html')}`,
      '--text',
      'Hello {{contact.first_name}}',
    )
    assert.equal(
      (await terminal.run(['templates', 'preview', 'welcome', 'ada@example.com'])).out,
      'Subject: Hi\n\nHello Ada\n',
    )
    assert.match((await terminal.run(['templates', 'list'])).out, /confirm_subscription +built in/)
  })

  await t.test('who is erased does not come back', async () => {
    await terminal.json('contacts', 'create', 'forget@example.com')
    const asked = await terminal.run(['erase', 'forget@example.com'])
    assert.deepEqual([asked.code, asked.err], [1, 'rollcall: nobody was erased: say --yes\n'])
    assert.ok((await terminal.json('erase', 'forget@example.com', '--yes')).id)
    const back = await terminal.run(['contacts', 'create', 'forget@example.com'])
    assert.deepEqual([back.code, back.err], [1, 'rollcall: email: is suppressed\n'])
  })

  await t.test('events are followed until Ctrl-C', async () => {
    await terminal.json('contacts', 'create', 'last@example.com')
    const followed = await terminal.run(['events', '--follow', '--after', 'start', '--types', 'created', '--json'], {
      onText: (text, interrupt) => text.includes('"last@example.com"') && interrupt(),
    })
    assert.equal(followed.code, 0, followed.err)
    const events = followed.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.ok(events.every(({ types, cursor }) => types.includes('created') && cursor))
    const behind = await terminal.run([
      'events',
      '--after',
      events[0].cursor,
      '--types',
      'created',
      '--limit',
      '1',
      '--json',
    ])
    assert.equal(JSON.parse(behind.out.trim()).id, events[1].id)
  })

  await t.test('events are read in pages of any size, each of which ends with where to go on', async () => {
    const people = Array.from({ length: 1100 }, (_, n) => ({ email: `page${n}@example.com` }))
    writeFileSync(terminal.path('pages.json'), JSON.stringify({ contacts: people }))
    await terminal.json('import', terminal.path('pages.json'))
    const idsOf = async (...given: string[]) => {
      const { out } = await terminal.run(['events', '--types', 'created', '--json', ...given])
      return out
        .trim()
        .split('\n')
        .map((line): { id: string; cursor?: string } => JSON.parse(line))
    }
    await until(async () => (await idsOf('--limit', '5000')).length > 1100)
    const all = await idsOf('--limit', '5000')
    const some = await idsOf('--limit', '1050')
    const rest = await idsOf('--after', some.at(-1)!.cursor!, '--limit', '5000')
    assert.deepEqual(
      [...some, ...rest].map(({ id }) => id),
      all.map(({ id }) => id),
    )
  })

  await t.test('more than 10,000 are told as such, and counted where their number is what was asked for', async () => {
    await enterMany(made, 10_002)
    const some = await terminal.run(['contacts', 'find', '--tag', 'many', '--limit', '2'])
    assert.deepEqual([some.code, some.err], [0, '2 of more than 10000: --limit or --all shows more\n'])
    const beyond = await terminal.run(['contacts', 'find', '--tag', 'many', '--limit', '10001', '--json'])
    assert.equal(beyond.err, '10001 of more than 10001: --limit or --all shows more\n')
    const everyone = await terminal.run(['contacts', 'find', '--tag', 'many', '--all', '--json'])
    assert.deepEqual([everyone.err, everyone.out.match(/"many\d+@/g)?.length], ['', 10_002])
    assert.match((await terminal.run(['segments', 'preview', '{"tag":"many"}'])).out, /^10,002 contacts\n/)
  })
})
