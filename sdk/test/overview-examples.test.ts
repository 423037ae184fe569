import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ImportContact } from '../src/rollcall.ts'
import { withClient } from './live.ts'

test('the overview\'s "Signup Form" runs as it stands there', async (t) => {
  const { client, ...made } = await withClient(t)
  const { createContact, addToList, sendTemplate } = client

  // The body is the overview's own, to the letter.
  async function handleSignup(formData: { email: string; firstName: string }) {
    // Add to contacts
    const contact = await createContact({
      email: formData.email,
      fields: {
        first_name: formData.firstName,
        source: 'website_signup',
      },
    })

    // Add to newsletter list
    await addToList(contact.id, 'newsletter')

    // Send welcome email
    await sendTemplate('welcome_email', contact.email)
  }

  await handleSignup({ email: 'Ada@example.com', firstName: 'Ada' })

  const [list] = (await made.get('/api/contact_lists')).body
  assert.equal(list.name, 'newsletter')
  const ada = (await made.get('/api/contacts/ada@example.com')).body.data
  assert.deepEqual(ada.fields, { first_name: 'Ada', source: 'website_signup' })
  assert.deepEqual(ada.list_ids, [list.id])
  const { data: mails } = await client.mail.messages({ contact: ada.id })
  assert.deepEqual(
    mails.map((mail) => [mail.template, mail.phase]),
    [['welcome_email', 'kept']],
  )
  await handleSignup({ email: 'bob@example.com', firstName: 'Bob' })
  assert.equal((await made.get('/api/contact_lists')).body.length, 1, 'the list that is there is taken')
})

test('the overview\'s "CRM Sync" runs as it stands there', async (t) => {
  const { client, ...made } = await withClient(t)
  const { waitForImport, importedContacts } = client
  const imports: number[] = []
  const importContacts = async (contacts: ImportContact[]) => {
    imports.push(await client.importContacts(contacts))
    return imports[0]!
  }
  await made.post('/api/contacts', { email: 'known@example.com', fields: { first_name: 'Known' } })
  const mapping = new Map<string, string>()
  const fetchFromCRM = async () => [
    { email: 'new@example.com', fields: { first_name: 'New' } },
    { email: 'Known@example.com', fields: { last_name: 'Person' } },
  ]
  const updateCRMMapping = async () => {
    for await (const { email, id } of importedContacts(imports[0]!)) mapping.set(email!, id!)
  }

  // The body is the overview's own, to the letter.
  async function syncWithCRM() {
    // Get updated contacts from CRM
    const crmContacts = await fetchFromCRM()

    // Bulk import to Mailtrap
    const importId = await importContacts(crmContacts)

    // Wait for import completion
    await waitForImport(importId)

    // Update CRM with Mailtrap IDs
    await updateCRMMapping()
  }

  await syncWithCRM()

  const known = (await made.get('/api/contacts/known@example.com')).body.data
  assert.deepEqual(known.fields, { first_name: 'Known', last_name: 'Person' })
  const fresh = (await made.get('/api/contacts/new@example.com')).body.data
  assert.deepEqual(Object.fromEntries(mapping), { 'new@example.com': fresh.id, 'known@example.com': known.id })
})
