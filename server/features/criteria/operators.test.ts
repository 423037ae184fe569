import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { OPERATORS_OF } from './operators.ts'

test('the guide lists the operators that there are', () => {
  const guide = readFileSync(join(import.meta.dirname, '../../../docs/criteria.md'), 'utf8')
  const rows = [...guide.matchAll(/^\| (\w+) \| .* \| ((?:`\w+` ?)+) \|$/gm)].map(([, kind, operators]) => [
    kind,
    operators!.replaceAll('`', '').split(' '),
  ])

  assert.deepEqual(Object.fromEntries(rows), OPERATORS_OF)
})
