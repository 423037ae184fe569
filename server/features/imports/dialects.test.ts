import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import sql from 'sql-template-tag'
import { type Answer, testApp } from '../../test/app.ts'
import { countsOf, form, took } from '../../test/imports.ts'
import { ENCODINGS } from '../../test/tables.ts'

/** A file as a program writes it, what it is found to be, and who is then there. Made by hand after what the programs write. */
interface Dialect {
  file: Buffer
  options?: Record<string, string>
  encoding: string
  delimiter: string
  /** Where columns go, besides those that become fields of their own. */
  targets: Record<string, string>
  people: Record<string, object>
}

const crlf = (...lines: string[]) => lines.map((line) => `${line}\r\n`).join('')
const lf = (...lines: string[]) => lines.map((line) => `${line}\n`).join('')
const NAMED = { 'First Name': 'first_name', 'Last Name': 'last_name' }

const DIALECTS: Record<string, Dialect> = {
  'Excel, CSV UTF-8, in German': {
    file: ENCODINGS['utf-8 with BOM'](
      crlf(
        'E-Mail-Adresse;Vorname;Nachname;Umsatz',
        'jörg@example.com;Jörg;Müßig;"1.234,50"',
        'eva@example.com;Eva;;12',
      ),
    ),
    encoding: 'utf-8',
    delimiter: ';',
    targets: { 'E-Mail-Adresse': 'email', Vorname: 'first_name', Nachname: 'last_name' },
    people: {
      'jörg@example.com': { first_name: 'Jörg', last_name: 'Müßig' },
      'eva@example.com': { first_name: 'Eva' },
    },
  },
  'Excel, Unicode text': {
    file: ENCODINGS['utf-16le with BOM'](
      crlf(
        'Email\tFirst Name\tLast Name\tCompany',
        'zoë@example.com\tZoë\tO\'Neil\t"Tabs, ""and"" more"',
        'Ł@example.com\tŁucja\t\t',
      ),
    ),
    encoding: 'utf-16le',
    delimiter: '\t',
    targets: { Email: 'email', ...NAMED },
    people: { 'zoë@example.com': { first_name: 'Zoë', last_name: "O'Neil", company: 'Tabs, "and" more' } },
  },
  'Excel, CSV with a line that names its separator': {
    file: ENCODINGS['windows-1252'](crlf('sep=;', 'Email;First Name;Last Name', 'rene@example.com;René;Noël, fils')),
    encoding: 'windows-1252',
    delimiter: ';',
    targets: { Email: 'email', ...NAMED },
    people: { 'rene@example.com': { first_name: 'René', last_name: 'Noël, fils' } },
  },
  'Excel for Mac, CSV (Macintosh)': {
    file: Buffer.concat([
      Buffer.from('Email,First Name,Last Name\rren@example.com,Ren'),
      Buffer.from([0x8e]),
      Buffer.from(',Smith\r'),
    ]),
    options: { encoding: 'macintosh' },
    encoding: 'macintosh',
    delimiter: ',',
    targets: { Email: 'email', ...NAMED },
    people: { 'ren@example.com': { first_name: 'René', last_name: 'Smith' } },
  },
  'Google Sheets': {
    file: Buffer.from(
      'Email,First Name,Last Name,Note\r\nada@example.com,Ada,Lovelace,"two\nlines"\r\ngrace@example.com,Grace,Hopper,TRUE',
    ),
    encoding: 'utf-8',
    delimiter: ',',
    targets: { Email: 'email', ...NAMED },
    people: { 'ada@example.com': { note: 'two\nlines' }, 'grace@example.com': { first_name: 'Grace', note: 'TRUE' } },
  },
  'LibreOffice, all texts in quotes': {
    file: Buffer.from(lf('"Email","First Name","Last Name","Age"', '"ada@example.com","Ada","von ""L""",36')),
    encoding: 'utf-8',
    delimiter: ',',
    targets: { Email: 'email', ...NAMED },
    people: { 'ada@example.com': { first_name: 'Ada', last_name: 'von "L"', age: '36' } },
  },
  'Numbers, with the name of its table': {
    file: Buffer.from(
      crlf(
        'Table 1,,,',
        'Email,First Name,Last Name,City',
        'ada@example.com,Ada,Lovelace,London',
        'bo@example.com,Bo,,',
      ),
    ),
    encoding: 'utf-8',
    delimiter: ',',
    targets: { Email: 'email', ...NAMED },
    people: { 'ada@example.com': { first_name: 'Ada', city: 'London' }, 'bo@example.com': { first_name: 'Bo' } },
  },
  Outlook: {
    file: ENCODINGS['windows-1252'](
      crlf(
        '"First Name","Middle Name","Last Name","Company","E-mail Address","E-mail Type","Notes","Private"',
        '"Zoë","","Müller","Tür & Tor","zoe@example.com","SMTP","first\r\nsecond","False"',
      ),
    ),
    encoding: 'windows-1252',
    delimiter: ',',
    targets: { ...NAMED, 'E-mail Address': 'email' },
    people: {
      'zoe@example.com': { first_name: 'Zoë', last_name: 'Müller', company: 'Tür & Tor', notes: 'first\r\nsecond' },
    },
  },
  'Google Contacts': {
    file: Buffer.from(
      lf(
        'First Name,Middle Name,Last Name,Labels,E-mail 1 - Label,E-mail 1 - Value,E-mail 2 - Label,E-mail 2 - Value,Phone 1 - Value',
        'Ada,,Lovelace,* myContacts ::: Friends,* Home,ada@example.com,Work,ada@work.example,+44 20 7946 0000',
      ),
    ),
    encoding: 'utf-8',
    delimiter: ',',
    targets: { ...NAMED, Labels: 'tags', 'E-mail 1 - Value': 'email' },
    people: { 'ada@example.com': { first_name: 'Ada', last_name: 'Lovelace', tags: ['* myContacts', 'Friends'] } },
  },
  HubSpot: {
    file: Buffer.from(
      lf(
        '"Record ID","First Name","Last Name","Email","Phone Number","Create Date","Unsubscribed from all email"',
        '"51","Ada","Lovelace","ada@example.com","+442079460000","2024-03-01 09:15","false"',
        '"52","Bo","","bo@example.com","","2024-03-02 10:00","true"',
      ),
    ),
    encoding: 'utf-8',
    delimiter: ',',
    targets: { ...NAMED, Email: 'email', 'Create Date': 'created_at', 'Unsubscribed from all email': 'unsubscribed' },
    people: {
      'ada@example.com': { first_name: 'Ada', state: 'subscribed', created_at: Date.UTC(2024, 2, 1, 9, 15) },
      'bo@example.com': { state: 'unsubscribed' },
    },
  },
  Mailchimp: {
    file: Buffer.from(
      lf(
        '"Email Address","First Name","Last Name",MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,LEID,TAGS',
        'ada@example.com,Ada,Lovelace,4,"2023-05-06 07:08:09",203.0.113.7,"2023-05-06 07:09:00",1234,"""customer"",""of London"""',
      ),
    ),
    encoding: 'utf-8',
    delimiter: ',',
    targets: { 'Email Address': 'email', ...NAMED, OPTIN_TIME: 'consent_at', OPTIN_IP: 'consent_ip', TAGS: 'tags' },
    people: { 'ada@example.com': { first_name: 'Ada', tags: ['customer', 'of London'] } },
  },
  Brevo: {
    file: Buffer.from(
      lf('CONTACT ID;EMAIL;FIRSTNAME;LASTNAME;SMS;OPT_IN', '7;ada@example.com;Ada;Lovelace;442079460000;Yes'),
    ),
    encoding: 'utf-8',
    delimiter: ';',
    targets: { EMAIL: 'email', FIRSTNAME: 'first_name', LASTNAME: 'last_name' },
    people: { 'ada@example.com': { first_name: 'Ada', last_name: 'Lovelace', sms: '442079460000' } },
  },
  Salesforce: {
    file: ENCODINGS['windows-1252'](
      lf(
        '"First Name","Last Name","Email","Email Opt Out"',
        '"Zoë","Noël","zoe@example.com","1"',
        '"Bo","B","bo@example.com","0"',
      ),
    ),
    encoding: 'windows-1252',
    delimiter: ',',
    targets: { ...NAMED, Email: 'email', 'Email Opt Out': 'unsubscribed' },
    people: {
      'zoe@example.com': { first_name: 'Zoë', state: 'unsubscribed' },
      'bo@example.com': { state: 'subscribed' },
    },
  },
  Shopify: {
    file: Buffer.from(
      lf(
        'Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Default Address City,Phone,Tags',
        '\'7001,Ada,Lovelace,ada@example.com,yes,London,\'+442079460000,"vip, early"',
        "'7002,Bo,,bo@example.com,no,,,",
      ),
    ),
    encoding: 'utf-8',
    delimiter: ',',
    targets: { ...NAMED, Email: 'email', 'Accepts Email Marketing': 'state', Tags: 'tags' },
    people: {
      'ada@example.com': { state: 'subscribed', tags: ['vip', 'early'] },
      'bo@example.com': { state: 'unsubscribed' },
    },
  },
}

for (const [program, dialect] of Object.entries(DIALECTS))
  test(`a file of ${program} is read without a word of help`, (t) => assertRead(t, dialect))

async function assertRead(t: TestContext, { file, options = {}, encoding, delimiter, targets, people }: Dialect) {
  const made = await testApp(t)

  const { body, headers } = form(file, options)
  const preview = await made.call('POST', '/api/contact_imports/preview', body, headers)
  assert.equal(preview.status, 200, JSON.stringify(preview.body))
  assert.deepEqual([preview.body.detected.encoding, preview.body.detected.delimiter], [encoding, delimiter])
  const found = Object.fromEntries(
    (preview.body.columns as Answer['body'][]).map(({ name, goes_to }) => [name, goes_to]),
  )
  assert.deepEqual(Object.fromEntries(Object.keys(targets).map((name) => [name, found[name]])), targets)
  const done = await took(made, file, options)
  const expected = Object.keys(people).length
  assert.equal(countsOf(done).created, countsOf(done).rows_read, JSON.stringify(done))
  assert.ok((countsOf(done).created ?? 0) >= expected)
  for (const [email, wanted] of Object.entries(people)) {
    // From the table: the API knows the fields that an import has defined a few seconds later.
    const [row] = await made.db.query<{ seen: Record<string, unknown> }>(sql`
      select fields || jsonb_build_object('state', state, 'tags', tags, 'created_at', extract(epoch from created_at) * 1000) as seen
      from contacts where account_id = ${made.accountId} and email = ${email}`)
    assert.deepEqual(Object.fromEntries(Object.keys(wanted).map((key) => [key, row?.seen[key]])), wanted, email)
  }
}
