import assert from 'node:assert/strict'
import { body, fails, test } from './node-sdk.ts'

const tooLong = (most: number) => 'n'.repeat(most + 1)

test('contactLists: made, read, found by the beginning of the name, renamed and deleted', async ({ client }) => {
  assert.deepEqual(await body(client.contactLists.getList()), [])
  const customers = await body(client.contactLists.create({ name: 'Customers' }))
  const news = await body(client.contactLists.create({ name: 'News & co' }))

  assert.ok(Number.isInteger(customers.id) && customers.id < 2 ** 31)
  assert.equal(customers.name, 'Customers')
  const { id, name } = await body(client.contactLists.get(customers.id))
  assert.deepEqual({ id, name }, { id: customers.id, name: 'Customers' })
  const all = await body(client.contactLists.getList())
  assert.deepEqual(
    all.map(({ id, name }: { id: number; name: string }) => ({ id, name })),
    [
      { id: customers.id, name: 'Customers' },
      { id: news.id, name: 'News & co' },
    ],
  )
  const namesOf = async (search: string) =>
    (await body(client.contactLists.getList({ search }))).map((list: { name: string }) => list.name)
  assert.deepEqual(await namesOf('news & co'), ['News & co'])
  assert.deepEqual(await namesOf('CUST'), ['Customers'])
  assert.deepEqual(await namesOf('tomers'), [], 'the beginning, not a part')
  assert.deepEqual(await namesOf('%'), [], 'a sign, not a pattern')

  const renamed = await body(client.contactLists.update(customers.id, { name: 'Former Customers' }))
  assert.deepEqual([renamed.id, renamed.name], [customers.id, 'Former Customers'])
  assert.equal(await body(client.contactLists.delete(customers.id)), '')
  await fails(client.contactLists.get(customers.id), 404, 'Not Found')
})

test('contactLists: deleting a list leaves its contacts', async ({ client }) => {
  const { id } = await body(client.contactLists.create({ name: 'Gone' }))
  await client.contacts.create({ email: 'a@example.com', list_ids: [id] })

  await client.contactLists.delete(id)

  const { data } = await body(client.contacts.get('a@example.com'))
  assert.deepEqual([data.list_ids, data.status], [[], 'subscribed'])
})

test('contactLists: what is refused', async ({ client }) => {
  const { contactLists } = client
  const { id } = await body(contactLists.create({ name: 'Customers' }))
  await contactLists.create({ name: 'Other' })

  await fails(contactLists.create({ name: '' }), 422, "can't be blank")
  await fails(contactLists.create({} as { name: string }), 422, "can't be blank")
  await fails(contactLists.create({ name: 'customers' }), 422, 'has already been taken')
  await fails(contactLists.create({ name: tooLong(255) }), 422, 'is too long (maximum is 255 characters)')
  await fails(contactLists.update(id, { name: 'other' }), 422, 'has already been taken')
  await fails(contactLists.update(id, { name: tooLong(255) }), 422, 'is too long (maximum is 255 characters)')
  for (const unknown of [-1, 999_999, 2 ** 40]) {
    await fails(contactLists.get(unknown), 404, 'Not Found')
    await fails(contactLists.update(unknown, { name: 'New' }), 404, 'Not Found')
    await fails(contactLists.delete(unknown), 404, 'Not Found')
  }
})

test('contactFields: made, read, renamed and deleted, bare in both directions', async ({ client }) => {
  const { contactFields } = client
  const ofNew = await body(contactFields.getList())
  assert.deepEqual(
    ofNew.map((field: object) => pick(field)),
    [
      { name: 'First name', data_type: 'text', merge_tag: 'first_name' },
      { name: 'Last name', data_type: 'text', merge_tag: 'last_name' },
    ],
  )

  const age = await body(contactFields.create({ name: 'Age', merge_tag: 'age', data_type: 'number' }))
  assert.ok(Number.isInteger(age.id))
  assert.deepEqual(pick(age), { name: 'Age', data_type: 'float', merge_tag: 'age' })
  for (const kind of ['text', 'boolean', 'date', 'integer', 'float'] as const) {
    const made = await body(
      contactFields.create({ name: `A ${kind}`, merge_tag: `a_${kind}`, data_type: kind as 'text' }),
    )
    assert.equal(made.data_type, kind)
  }
  const { values_count, ...same } = await body(contactFields.get(age.id))
  assert.deepEqual([same, values_count], [age, 0])
  assert.equal((await body(contactFields.getList())).length, 8)

  const years = await body(contactFields.update(age.id, { name: 'Years' }))
  assert.deepEqual(pick(years), { name: 'Years', data_type: 'float', merge_tag: 'age' })
  await client.contacts.create({ email: 'a@example.com', fields: { age: 41 } })
  const moved = await body(contactFields.update(age.id, { merge_tag: 'years' }))
  assert.equal(moved.merge_tag, 'years')
  const { data } = await body(client.contacts.get('a@example.com'))
  assert.deepEqual(data.fields, { years: 41 }, 'the value goes with its field')

  assert.equal(await body(contactFields.delete(age.id)), '')
  await fails(contactFields.get(age.id), 404, 'Not Found')
})

test('contactFields: what is refused', async ({ client }) => {
  const { contactFields } = client
  const create = (field: object) => contactFields.create(field as { name: string })
  const age = await body(contactFields.create({ name: 'Age', merge_tag: 'age', data_type: 'number' }))

  await fails(create({ name: '', merge_tag: 'x', data_type: 'text' }), 422, "can't be blank")
  await fails(
    create({ name: tooLong(80), merge_tag: 'x', data_type: 'text' }),
    422,
    'is too long (maximum is 80 characters)',
  )
  await fails(
    create({ name: 'X', merge_tag: 'x', data_type: 'colour' }),
    422,
    /^data_type: is not included in the list/,
  )
  await fails(
    create({ name: 'X', merge_tag: 'first_name', data_type: 'text' }),
    422,
    'merge_tag: has already been taken',
  )
  await fails(create({ name: 'X', merge_tag: 'no tag!', data_type: 'text' }), 422, /^merge_tag: /)
  await fails(create({ name: 'X', merge_tag: 'email', data_type: 'text' }), 422, /^merge_tag: /)
  await fails(contactFields.update(age.id, { merge_tag: 'first_name' }), 422, 'merge_tag: has already been taken')
  await fails(contactFields.update(age.id, { data_type: 'text' }), 422, /convert/)
  for (const unknown of [-1, 999_999]) {
    await fails(contactFields.get(unknown), 404, 'Not Found')
    await fails(contactFields.update(unknown, { name: 'New' }), 404, 'Not Found')
    await fails(contactFields.delete(unknown), 404, 'Not Found')
  }
})

function pick(field: object) {
  const { name, data_type, merge_tag } = field as { name: string; data_type: string; merge_tag: string }
  return { name, data_type, merge_tag }
}
