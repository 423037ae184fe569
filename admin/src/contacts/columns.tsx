import { Badge } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { Contact, Field } from '../api/queries.ts'
import { Time } from '../components/time.tsx'
import * as en from '../strings/en.ts'
import classes from './contacts-table.module.css'
import { shownValue } from './shown-value.ts'
import { StateBadge } from './state-badge.tsx'

/** Something of a contact that the table shows. */
export interface Column {
  /** `email`, or a merge tag: what the API sorts by. */
  name: string
  label: string
  /** In px; the first column takes what is left. */
  width: number
  sortable: boolean
  field?: Field
  show: (contact: Contact, account: string) => ReactNode
}

const names = en.contacts.columnNames

const ATTRIBUTES: Column[] = [
  {
    name: 'email',
    label: names.email,
    width: 280,
    sortable: true,
    show: ({ id, email }, account) => (
      <Link to="/accounts/$account/contacts/$contact" params={{ account, contact: id }} className={classes.email}>
        {email}
      </Link>
    ),
  },
  { name: 'state', label: names.state, width: 140, sortable: false, show: ({ state }) => <StateBadge state={state} /> },
  {
    name: 'tags',
    label: names.tags,
    width: 190,
    sortable: false,
    show: ({ tags }) =>
      tags.slice(0, 3).map((tag) => (
        <Badge key={tag} variant="default" radius="sm" tt="none" fw={500} mr={4}>
          {tag}
        </Badge>
      )),
  },
  { name: 'origin', label: names.origin, width: 120, sortable: false, show: ({ origin }) => origin },
  { name: 'external_id', label: names.external_id, width: 150, sortable: false, show: ({ external_id: id }) => id },
  {
    name: 'created_at',
    label: names.created_at,
    width: 140,
    sortable: true,
    show: ({ created_at: at }) => <Time at={at} />,
  },
  {
    name: 'updated_at',
    label: names.updated_at,
    width: 140,
    sortable: true,
    show: ({ updated_at: at }) => <Time at={at} />,
  },
]

/** All columns that there are in an account. */
export function columnsFor(fields: readonly Field[]): Column[] {
  const own = fields.map(
    (field): Column => ({
      name: field.merge_tag,
      label: field.name,
      width: field.type === 'text' ? 170 : 130,
      sortable: true,
      field,
      show: (contact) => shownValue(contact.fields[field.merge_tag]),
    }),
  )
  const [email, ...others] = ATTRIBUTES
  return [email!, ...own, ...others]
}

/** As many fields are shown before anybody has chosen. */
const FIRST_FIELDS = 3

/** The columns by the names that were chosen, in that order; what is not there any more is left out. */
export function chosenColumns(all: readonly Column[], chosen: readonly string[] | undefined): Column[] {
  if (chosen) {
    const byName = new Map(all.map((column) => [column.name, column]))
    const found = chosen.map((name) => byName.get(name)).filter((column) => column !== undefined)
    return found.some(({ name }) => name === 'email') ? found : [byName.get('email')!, ...found]
  }
  const usual = ['email', 'state', 'tags', 'created_at']
  const fields = all.filter(({ field }) => field).slice(0, FIRST_FIELDS)
  const [email, state, tags, created] = usual.map((name) => all.find((column) => column.name === name)!)
  return [email!, state!, ...fields, tags!, created!]
}
