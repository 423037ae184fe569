import { useQuery } from '@tanstack/react-query'
import { useAccount } from '../../api/client.ts'
import { fieldsQuery } from '../../api/queries.ts'
import { Page } from '../../components/page.tsx'
import { Forbidden, Loaded } from '../../components/states.tsx'
import * as en from '../../strings/en.ts'
import { newDraft } from './draft.ts'
import { FormEditor } from './form-editor.tsx'

export function NewFormPage() {
  const account = useAccount()
  const fields = useQuery(fieldsQuery(account))
  return (
    <Page title={en.forms.newTitle}>
      {account.canWrite ? (
        <Loaded query={fields}>{(known) => <FormEditor initial={newDraft(known)} fields={known} />}</Loaded>
      ) : (
        <Forbidden />
      )}
    </Page>
  )
}
