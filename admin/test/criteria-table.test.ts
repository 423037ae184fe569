import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { CONTACT_EVENT_TYPES } from '../../server/features/activity/event-types.ts'
import { OPERATORS, OPERATORS_OF } from '../../server/features/criteria/operators.ts'
import { COLUMN_NAMES, KIND_OF_FIELD, subjectNamed } from '../../server/features/criteria/subjects.ts'

const FILE = join(import.meta.dirname, '../src/criteria/table.generated.json')

test('the builder knows the operators, attributes and events of the server', () => {
  const attributes = COLUMN_NAMES.map((name) => {
    const subject = subjectNamed(name, () => undefined)!
    const words = subject.source === 'column' ? subject.words : undefined
    return [name, { kind: subject.kind, ...(words ? { words } : {}) }]
  })
  const table = {
    operators: OPERATORS,
    operatorsOf: OPERATORS_OF,
    attributes: Object.fromEntries(attributes),
    kindOfField: KIND_OF_FIELD,
    // For these two there is `list`.
    eventTypes: CONTACT_EVENT_TYPES.filter((type) => type !== 'list_entered' && type !== 'list_left'),
  }
  const text = `${JSON.stringify(table, null, 2)}\n`

  if (process.env.UPDATE_TABLE === '1') writeFileSync(FILE, text)

  assert.deepEqual(
    JSON.parse(readFileSync(FILE, 'utf8')),
    JSON.parse(text),
    'not current: UPDATE_TABLE=1 npm test -- admin/test/criteria-table.test.ts',
  )
})
