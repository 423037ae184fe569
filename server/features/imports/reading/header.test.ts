import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readAll, sourceOf } from '../../../test/tables.ts'

test('columns of the same name are told apart, and those without one are numbered', async () => {
  const { columns } = await readAll('Name,name,,Name (2),NAME,\u00a0E-\u200bMail\n1,2,3,4,5,6\n')
  assert.deepEqual(columns, ['Name', 'name (3)', 'Column 3', 'Name (2)', 'NAME (4)', 'E-Mail'])
})

test('a first row with an address, a date or an amount is no header', async () => {
  for (const first of ['anna@example.com,Anna', 'Anna,1990-02-28', 'Anna,28.02.1990', 'Anna,17', '+3,x']) {
    const { detected, columns, rows } = await readAll(`${first}\nbob@example.com,Bob\n`)
    assert.equal(detected.header, false, first)
    assert.deepEqual(columns, ['Column 1', 'Column 2'])
    assert.equal(rows.length, 2)
  }
  assert.equal((await readAll('email,2024,2025\na@example.com,1,2')).detected.header, true)
})

test('what was said of the header holds against what it looks like', async () => {
  assert.equal((await readAll('a,b\n1,2', { header: false })).rows.length, 2)
  assert.deepEqual((await readAll('a@example.com\nb@example.com', { header: true })).columns, ['a@example.com'])
})

test('without a header the widest of the first rows counts, whatever the chunks', async () => {
  for (const size of [1, 1000]) {
    const { columns, rows } = await readAll(sourceOf('1,2\n1,2,3\n1\n', size))
    assert.deepEqual(columns, ['Column 1', 'Column 2', 'Column 3'])
    assert.ok(rows.every(({ problem }) => problem === undefined))
  }
})

test('titles above the header are passed over', async () => {
  const { detected, columns, rows } = await readAll(
    'Members of the club,,\nas of 2025,March\n\nname,email,joined,plan,city\nA,a@example.com,2026-01-01,x,Bonn\nB,b@example.com,2026-01-02,y,Köln\n',
  )
  assert.equal(detected.header_line, 4)
  assert.deepEqual(columns, ['name', 'email', 'joined', 'plan', 'city'])
  assert.deepEqual(
    rows.map(({ line }) => line),
    [5, 6],
  )
})

test('what could be data is not passed over, nor anything where it was said that there is no header', async () => {
  const lone = await readAll('a@example.com,,\nname,email,plan\nB,b@example.com,x\nC,c@example.com,x\n')
  assert.equal(lone.rows.length, 4)
  const headed = await readAll('email,,\na@example.com,x,y\nb@example.com,x,y\n')
  assert.deepEqual(headed.columns, ['email', 'Column 2', 'Column 3'])
  const all = await readAll('Title,,\nname,email,plan\nB,b@example.com,x\n', { header: false })
  assert.equal(all.rows.length, 3)
})
