import { Button, Group, Menu } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { ArrowLeft, Ellipsis, ExternalLink, Trash2 } from 'lucide-react'
import { useAccount } from '../../api/client.ts'
import { type Form, fieldsQuery } from '../../api/queries.ts'
import { Page } from '../../components/page.tsx'
import { Loaded } from '../../components/states.tsx'
import { TextLink } from '../../components/text-link.tsx'
import * as en from '../../strings/en.ts'
import { DeleteFormDialog } from './delete-form-dialog.tsx'
import { draftOf } from './draft.ts'
import { EmbedPanel } from './embed-panel.tsx'
import { FormEditor } from './form-editor.tsx'
import { FormState } from './form-state.tsx'
import { SignUps } from './sign-ups.tsx'

const route = getRouteApi('/accounts/$account/forms/$form')

/** One form: its settings with the page that they make, and the code that puts it on a website. */
export function FormPage() {
  const account = useAccount()
  const id = Number(route.useParams().form)
  const query = useQuery({
    queryKey: [account.id, 'forms', id],
    queryFn: ({ signal }) => account.api.forms.get(id, { signal }),
  })
  const fields = useQuery(fieldsQuery(account))
  const form = query.data
  return (
    <Page
      title={form?.name ?? en.forms.title}
      about={
        <Group gap="sm">
          <TextLink to="/accounts/$account/forms" params={{ account: String(account.id) }}>
            <Group gap={4}>
              <ArrowLeft size={14} aria-hidden />
              {en.forms.all}
            </Group>
          </TextLink>
          {form && <FormState active={form.active} />}
        </Group>
      }
      actions={form && <Actions form={form} />}
    >
      <Loaded query={query}>
        {(found) => (
          <Loaded query={fields}>
            {(known) => (
              <>
                <FormEditor key={found.id} form={found} initial={draftOf(found)} fields={known} />
                <SignUps form={found.id} />
                <EmbedPanel form={found} />
              </>
            )}
          </Loaded>
        )}
      </Loaded>
    </Page>
  )
}

function Actions({ form }: { form: Form }) {
  const { canWrite } = useAccount()
  const [isDeleteOpen, remove] = useDisclosure(false)
  return (
    <>
      {form.active && (
        <Button
          variant="default"
          component="a"
          href={form.url}
          target="_blank"
          rel="noreferrer"
          leftSection={<ExternalLink size={15} />}
        >
          {en.forms.openPage}
        </Button>
      )}
      {canWrite && (
        <Menu position="bottom-end">
          <Menu.Target>
            <Button variant="default" leftSection={<Ellipsis size={16} />}>
              {en.forms.menu}
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item c="var(--mantine-color-error)" leftSection={<Trash2 size={15} />} onClick={remove.open}>
              {en.forms.delete}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      )}
      <DeleteFormDialog form={form} opened={isDeleteOpen} onClose={remove.close} />
    </>
  )
}
