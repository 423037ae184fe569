import { useState } from 'react'
import { useAccount } from '../../api/client.ts'
import { Page } from '../../components/page.tsx'
import { Forbidden } from '../../components/states.tsx'
import * as en from '../../strings/en.ts'
import { TemplateEditor } from './template-editor.tsx'

/** What a new template begins with: enough to be sent, with the link that every mail should have. */
const BEGINNING = {
  subject: 'News from {{ account.name }}',
  html: `<p>Hello{% if contact.first_name %} {{ contact.first_name }}{% endif %},</p>
<p></p>
<p><a href="{{ unsubscribe_url }}">Unsubscribe</a></p>
`,
  text: `Hello{% if contact.first_name %} {{ contact.first_name }}{% endif %},



Unsubscribe: {{ unsubscribe_url }}
`,
}

export function NewTemplatePage() {
  const { canWrite } = useAccount()
  const [contact, setContact] = useState<string | null>(null)
  return (
    <Page title={en.templates.newTitle}>
      {canWrite ? (
        <TemplateEditor initial={BEGINNING} beholder={{ chosen: contact, onChoose: setContact }} />
      ) : (
        <Forbidden />
      )}
    </Page>
  )
}
