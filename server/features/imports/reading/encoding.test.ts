import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ENCODINGS, readAll, refused, sourceOf } from '../../../test/tables.ts'

for (const [encoding, encode] of Object.entries(ENCODINGS)) {
  for (const [delimiter, name] of [',comma', ';semicolon', '\ttab', '|bar'].map((each) => [each[0]!, each.slice(1)])) {
    test(`${encoding} with ${name} is found out`, async () => {
      const rows = Array.from({ length: 5 }, (_, at) => [`p${at}@example.com`, 'Zoë, geb. "X"; o', '3,5'])
      const text = [['E-Mail', 'Name', 'Wert'], ...rows]
        .map((row) =>
          row.map((cell) => (/[,;|\t"]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(delimiter),
        )
        .join('\r\n')

      const { detected, cells } = await readAll(encode(text))

      assert.equal(detected.delimiter, delimiter)
      assert.equal(detected.encoding, encoding.replace(' with BOM', ''))
      assert.equal(detected.header, true)
      assert.deepEqual(cells, rows)
    })
  }
}

test('an é in the last row alone decides the encoding of the whole file', async () => {
  const text = 'email;name\n' + 'anna@example.com;Anna\n'.repeat(20_000) + 'bob@example.com;José'

  const { detected, cells } = await readAll(Buffer.from(text, 'latin1'))

  assert.equal(detected.encoding, 'windows-1252')
  assert.deepEqual(cells.at(-1), ['bob@example.com', 'José'])
  assert.equal((await readAll(Buffer.from(text))).detected.encoding, 'utf-8')
})

test('an encoding that was asked for is used, and one that does not exist is refused', async () => {
  const { cells } = await readAll(Buffer.from('name\nstra\xdfe', 'latin1'), { encoding: 'ISO-8859-2' })
  assert.deepEqual(cells, [['straße']])
  await assert.rejects(readAll('a', { encoding: 'klingon' }), refused(/encoding 'klingon' is not known/))
})

test('an encoding that the bytes look more like is told, not followed', async () => {
  const russian = 'имя;город\n' + 'Анна Петрова;Санкт-Петербург и область\n'.repeat(50)
  const bytes = Buffer.from(
    [...russian].map((letter) => {
      const code = letter.codePointAt(0)!
      return code < 128 ? code : code - 0x410 + 0xc0
    }),
  )

  const { detected } = await readAll(bytes)

  assert.equal(detected.encoding, 'windows-1252')
  assert.equal(detected.encoding_guess, 'windows-1251')
})

test('a few wrong bytes in a file of UTF-8 are the problem of their rows, and spoil no other', async () => {
  const bytes = Buffer.concat([
    Buffer.from('name\nZoë\nJürgen\nRené\nÀÉÎ\n'),
    Buffer.from([0x42, 0xff, 0x0a]),
    Buffer.from('Ünal\n'),
  ])

  const { detected, rows } = await readAll(bytes)

  assert.equal(detected.encoding, 'utf-8')
  assert.deepEqual(
    rows.map(({ problem }) => problem),
    [undefined, undefined, undefined, undefined, 'holds bytes that are not UTF-8', undefined],
  )
  assert.deepEqual(rows[5]?.cells, ['Ünal'])
})

test('a character that is cut by a chunk is whole, in every encoding', async () => {
  for (const [encoding, encode] of Object.entries(ENCODINGS)) {
    if (encoding === 'windows-1252') continue
    const { cells } = await readAll(sourceOf(encode('a;b\n💌;é\n'), 1))
    assert.deepEqual(cells, [['💌', 'é']], encoding)
  }
})

test('a file that begins with a BOM of UTF-8 is UTF-8, whatever else is in it', async () => {
  const { detected, rows } = await readAll(Buffer.concat([Buffer.from('\ufeffname\n'), Buffer.from([0xe9, 0x0a])]))
  assert.equal(detected.encoding, 'utf-8')
  assert.match(rows[0]!.problem!, /not UTF-8/)
})
