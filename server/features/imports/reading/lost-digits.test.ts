import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LostDigits } from './lost-digits.ts'
import type { Cell } from './table.ts'

function warningsOf(cells: readonly Cell[]) {
  const watch = new LostDigits()
  for (const [at, cell] of cells.entries()) watch.see(cell, at + 2)
  return watch.warnings()
}

const codes = Array.from({ length: 18 }, (_, at) => String(10_000 + at * 4321))

test('scientific notation that kept fewer digits than it stands for is told with its lines', () => {
  assert.deepEqual(warningsOf(['4,91723E+11', 'x', '4.91723E+11', '1.5e12']), [
    { kind: 'scientific_notation', rows: 3, lines: [2, 4, 5] },
  ])
})

test('scientific notation that lost nothing is not told', () => {
  assert.deepEqual(warningsOf(['1E+3', '1.5E+1', '1.25e-3', 4.91723e11, 'E+11']), [])
})

test('codes of one length among which some are shorter have lost their zeros', () => {
  assert.deepEqual(warningsOf([...codes, '1234', '501', null]), [{ kind: 'leading_zeros', rows: 2, lines: [20, 21] }])
  assert.equal(warningsOf([...codes.map(Number), 1234])[0]?.kind, 'leading_zeros')
})

test('numbers whose lengths vary have lost nothing', () => {
  assert.deepEqual(warningsOf(codes), [])
  assert.deepEqual(warningsOf(Array.from({ length: 100 }, (_, at) => String(at))), [])
  assert.deepEqual(warningsOf(Array.from({ length: 100 }, (_, at) => String(at * at * at))), [])
  assert.deepEqual(warningsOf([...codes, '7']), [])
})

test('no more than ten lines are told of any number of rows', () => {
  const [warning] = warningsOf([
    ...Array.from({ length: 300 }, () => '12345'),
    ...Array.from({ length: 30 }, () => '1234'),
  ])
  assert.equal(warning?.rows, 30)
  assert.equal(warning?.lines.length, 10)
})
