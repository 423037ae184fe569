import { Button, Group, Menu } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { ArrowLeft, Ellipsis, RotateCcw, Send, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { useAccount } from '../../api/client.ts'
import { type Template, templateQuery, templateUsageQuery } from '../../api/queries.ts'
import { Page } from '../../components/page.tsx'
import { Loaded } from '../../components/states.tsx'
import { TextLink } from '../../components/text-link.tsx'
import { UsedBy } from '../../components/used-by.tsx'
import * as en from '../../strings/en.ts'
import { CONFIRMING } from './built-in.ts'
import { RemoveDialog } from './remove-dialog.tsx'
import { SendDialog } from './send-dialog.tsx'
import { TemplateEditor } from './template-editor.tsx'
import { TemplateKind } from './template-kind.tsx'
import { Versions } from './versions.tsx'

const route = getRouteApi('/accounts/$account/templates/$template')

/** One template: its texts with the mail that they make, and the versions of before. */
export function TemplatePage() {
  const account = useAccount()
  const { template: name } = route.useParams()
  const query = useQuery(templateQuery(account, name))
  const [isDirty, setDirty] = useState(false)
  const [contact, setContact] = useState<string | null>(null)
  // Counts how often other texts have come in place of those in the inputs.
  const [replaced, setReplaced] = useState(0)
  const replace = () => setReplaced((times) => times + 1)
  return (
    <Page
      title={name}
      about={
        <Group gap="sm">
          <TextLink to="/accounts/$account/templates" params={{ account: String(account.id) }}>
            <Group gap={4}>
              <ArrowLeft size={14} aria-hidden />
              {en.templates.all}
            </Group>
          </TextLink>
          {query.data && (
            <>
              <TemplateKind template={query.data} />
              <span className="figures">{en.templates.versionNow(query.data.version)}</span>
            </>
          )}
          {en.templates.purposes[name] && <span>{en.templates.purposes[name]}</span>}
          {query.data && <Users template={name} />}
        </Group>
      }
      actions={query.data && account.canWrite && <Actions {...{ template: query.data, isDirty, onReset: replace }} />}
    >
      <Loaded query={query}>
        {(template) => (
          <>
            <TemplateEditor
              key={`${name} ${replaced}`}
              template={template}
              initial={{ subject: template.subject, html: template.html, text: template.text }}
              beholder={{ chosen: contact, onChoose: setContact }}
              onDirty={setDirty}
            />
            <Versions template={template} isDirty={isDirty} onBroughtBack={replace} />
          </>
        )}
      </Loaded>
    </Page>
  )
}

/** What welcomes people by it; nothing where nothing does. */
function Users({ template }: { template: string }) {
  const { data: users = [] } = useQuery(templateUsageQuery(useAccount(), template))
  return users.length > 0 && <UsedBy users={users} label={en.fields.usedBy} />
}

interface ActionsProps {
  template: Template
  isDirty: boolean
  onReset: () => void
}

function Actions({ template, isDirty, onReset }: ActionsProps) {
  const [isSendOpen, send] = useDisclosure(false)
  const [isRemoveOpen, remove] = useDisclosure(false)
  const canRemove = !template.built_in || template.version > 0
  return (
    <>
      {!CONFIRMING.includes(template.name) && (
        <Button variant="default" leftSection={<Send size={15} />} onClick={send.open}>
          {en.templates.send}
        </Button>
      )}
      {canRemove && (
        <Menu position="bottom-end">
          <Menu.Target>
            <Button variant="default" leftSection={<Ellipsis size={16} />}>
              {en.templates.menu}
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item
              c="var(--mantine-color-error)"
              leftSection={template.built_in ? <RotateCcw size={15} /> : <Trash2 size={15} />}
              onClick={remove.open}
            >
              {template.built_in ? en.templates.reset : en.templates.delete}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      )}
      <SendDialog template={template} isDirty={isDirty} opened={isSendOpen} onClose={send.close} />
      <RemoveDialog template={template} opened={isRemoveOpen} onClose={remove.close} onReset={onReset} />
    </>
  )
}
