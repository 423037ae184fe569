import { Button, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useAccount } from '../../api/client.ts'
import { type Template, templatesQuery } from '../../api/queries.ts'
import { Page } from '../../components/page.tsx'
import { Loaded } from '../../components/states.tsx'
import { Rows } from '../../components/table.tsx'
import { TextLink } from '../../components/text-link.tsx'
import { Time } from '../../components/time.tsx'
import * as en from '../../strings/en.ts'
import { TemplateKind } from './template-kind.tsx'

/** All templates: there are always some, as three come with the service. */
export function TemplatesPage() {
  const account = useAccount()
  const query = useQuery(templatesQuery(account))
  const params = { account: String(account.id) }
  return (
    <Page
      title={en.templates.title}
      about={en.templates.about}
      actions={
        account.canWrite && (
          <Button
            renderRoot={(props) => <Link {...props} to="/accounts/$account/templates/new-template" params={params} />}
          >
            {en.templates.start}
          </Button>
        )
      }
    >
      <Loaded query={query}>{(templates) => <TemplateRows templates={templates} />}</Loaded>
    </Page>
  )
}

function TemplateRows({ templates }: { templates: readonly Template[] }) {
  const account = String(useAccount().id)
  return (
    <Rows
      label={en.templates.title}
      rows={templates}
      keyOf={({ name }) => name}
      columns={[
        {
          title: en.templates.name,
          cell: ({ name }) => (
            <>
              <TextLink fw={600} to="/accounts/$account/templates/$template" params={{ account, template: name }}>
                {name}
              </TextLink>
              {en.templates.purposes[name] && (
                <Text size="xs" c="dimmed" maw={360}>
                  {en.templates.purposes[name]}
                </Text>
              )}
            </>
          ),
        },
        { title: en.templates.subject, cell: ({ subject }) => subject },
        { title: en.templates.kind, cell: (template) => <TemplateKind template={template} /> },
        { title: en.templates.version, isFigure: true, cell: ({ version }) => (version === 0 ? '' : version) },
        { title: en.templates.changed, cell: ({ updated_at: at }) => at && <Time at={at} /> },
      ]}
    />
  )
}
