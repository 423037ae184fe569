import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { ClipboardPen } from 'lucide-react'
import { useAccount } from '../../api/client.ts'
import { type Form, fieldsQuery, formStatsQuery, formsQuery, listsQuery } from '../../api/queries.ts'
import { Page } from '../../components/page.tsx'
import { Empty, Loaded } from '../../components/states.tsx'
import { Rows } from '../../components/table.tsx'
import { TextLink } from '../../components/text-link.tsx'
import { Time } from '../../components/time.tsx'
import * as en from '../../strings/en.ts'
import { FormState } from './form-state.tsx'

const DAYS = 30

/** All sign-up forms of the account. */
export function FormsPage() {
  const account = useAccount()
  const query = useQuery(formsQuery(account))
  const params = { account: String(account.id) }
  const start = account.canWrite && (
    <Button renderRoot={(props) => <Link {...props} to="/accounts/$account/forms/new" params={params} />}>
      {en.forms.start}
    </Button>
  )
  return (
    <Page title={en.forms.title} about={en.forms.about} actions={(query.data?.length ?? 0) > 0 && start}>
      <Loaded query={query}>
        {(forms) =>
          forms.length === 0 ? (
            <Empty icon={ClipboardPen} title={en.forms.none} action={start}>
              {en.forms.noneText}
            </Empty>
          ) : (
            <FormRows forms={forms} />
          )
        }
      </Loaded>
    </Page>
  )
}

function FormRows({ forms }: { forms: readonly Form[] }) {
  const account = useAccount()
  const { data: lists = [] } = useQuery(listsQuery(account))
  const { data: fields = [] } = useQuery(fieldsQuery(account))
  const { data: stats = [] } = useQuery(formStatsQuery(account, DAYS))
  const listName = (id: number) => lists.find((list) => list.id === id)?.name ?? `${id}`
  const fieldName = (tag: string) => fields.find(({ merge_tag }) => merge_tag === tag)?.name ?? tag
  return (
    <Rows
      label={en.forms.title}
      rows={forms}
      keyOf={({ id }) => id}
      columns={[
        {
          title: en.forms.name,
          cell: ({ id, name }) => (
            <TextLink
              fw={600}
              to="/accounts/$account/forms/$form"
              params={{ account: String(account.id), form: String(id) }}
            >
              {name}
            </TextLink>
          ),
        },
        { title: en.forms.state, cell: ({ active }) => <FormState active={active} /> },
        {
          title: en.forms.lists,
          cell: ({ list_ids: ids }) => (ids.length === 0 ? en.forms.noLists : ids.map(listName).join(', ')),
        },
        {
          title: en.forms.asks,
          cell: ({ fields: asked }) =>
            asked.length === 0
              ? en.forms.onlyEmail
              : en.forms.fieldsAsked(asked.map(({ field, label }) => label ?? fieldName(field))),
        },
        {
          title: en.forms.confirms,
          cell: ({ double_opt_in: isDouble }) => (isDouble ? en.forms.byMail : en.forms.atOnce),
        },
        {
          title: en.forms.lately(DAYS),
          isFigure: true,
          cell: ({ id }) => {
            const counted = stats.find(({ form_id }) => form_id === id)
            return counted && en.forms.counted(counted.sign_ups, counted.confirmed)
          },
        },
        { title: en.forms.changed, cell: ({ updated_at: at }) => <Time at={at} /> },
      ]}
    />
  )
}
