import { Loader, Select } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useAccount } from '../api/client.ts'
import { contactQuery } from '../api/queries.ts'
import * as en from '../strings/en.ts'

const PAUSE_MS = 150
const MOST = 8
const NOBODY = ''

interface ContactSelectProps {
  label: string
  /** Id of the contact; null: nobody is chosen. */
  value: string | null
  onChange: (contact: string | null) => void
  /** What is offered besides: that nobody is chosen. */
  nobody?: string
  error?: string | undefined
  w?: number
  isLabelHidden?: boolean
}

/** Chooses somebody by a few letters; before any are typed it offers those who came last. */
export function ContactSelect({ value, onChange, label, isLabelHidden = false, nobody, ...input }: ContactSelectProps) {
  const account = useAccount()
  const [typed, setTyped] = useState('')
  const { data: chosen } = useQuery({ ...contactQuery(account, value ?? ''), enabled: value !== null })
  const isChosen = typed === (value === null ? nobody : chosen?.email)
  const [settled] = useDebouncedValue(isChosen ? '' : typed.trim(), PAUSE_MS)
  const { data: found = [], isFetching } = useQuery({
    queryKey: [account.id, 'contacts', 'select', settled],
    queryFn: async ({ signal }) =>
      (
        await account.api.contacts.list(
          { ...(settled === '' ? {} : { q: settled }), per_page: MOST, count: 'capped' },
          { signal },
        )
      ).data,
    placeholderData: keepPreviousData,
  })
  const people = chosen && !found.some(({ id }) => id === chosen.id) ? [chosen, ...found] : found
  return (
    <Select
      {...input}
      {...(isLabelHidden ? { 'aria-label': label } : { label })}
      searchable
      allowDeselect={false}
      data={[
        ...(nobody === undefined ? [] : [{ value: NOBODY, label: nobody }]),
        ...people.map(({ id, email }) => ({ value: id, label: email })),
      ]}
      // The service has searched, by names as well, which the labels do not show.
      filter={({ options }) => options}
      value={value ?? (nobody === undefined ? null : NOBODY)}
      onChange={(chosenNow) => onChange(chosenNow === NOBODY ? null : chosenNow)}
      searchValue={typed}
      onSearchChange={setTyped}
      nothingFoundMessage={en.contacts.selectNone}
      {...(isFetching ? { rightSection: <Loader size={14} /> } : {})}
    />
  )
}
