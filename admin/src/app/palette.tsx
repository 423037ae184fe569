import { useDebouncedValue } from '@mantine/hooks'
import { Spotlight, spotlight } from '@mantine/spotlight'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { Building2, Search, User } from 'lucide-react'
import { useEffect, useState } from 'react'
import { useAccount } from '../api/client.ts'
import type { Session } from '../api/session.ts'
import * as en from '../strings/en.ts'
import { releaseKeys } from './early-keys.ts'
import { destinationsFor } from './navigation.ts'

/** After a pause in typing, in ms. */
const PAUSE_MS = 150
/** With fewer letters too many are found to choose from. */
const LEAST_LETTERS = 2
const MOST_PEOPLE = 6

/** Ctrl-K: any page, contact or other account, by a few letters. Opens each time that `asked` grows. */
export function Palette({ asked, session }: { asked: number; session: Session }) {
  const open = useAccount()
  const navigate = useNavigate()
  const [query, setQuery] = useState('')
  useEffect(() => {
    if (asked > 0) spotlight.open()
  }, [asked])

  const holds = (text: string) => text.toLowerCase().includes(query.trim().toLowerCase())
  const pages = destinationsFor(open).filter(({ label }) => holds(label))
  const accounts = session.accounts.filter(({ id, name }) => id !== open.id && holds(name))
  const account = String(open.id)

  const [settled] = useDebouncedValue(query.trim(), PAUSE_MS)
  const isSearching = settled.length >= LEAST_LETTERS
  const { data: people = [] } = useQuery({
    queryKey: [open.id, 'contacts', 'palette', settled],
    queryFn: async ({ signal }) =>
      (await open.api.contacts.list({ q: settled, per_page: MOST_PEOPLE, count: 'capped' }, { signal })).data,
    enabled: isSearching,
    placeholderData: keepPreviousData,
  })
  const contacts = isSearching ? people : []

  return (
    <Spotlight.Root
      query={query}
      onQueryChange={setQuery}
      shortcut={null}
      lockScroll={false}
      scrollable
      maxHeight={420}
      attributes={{ content: { 'aria-label': en.shell.palette } }}
    >
      <Spotlight.Search
        placeholder={en.shell.search}
        aria-label={en.shell.palette}
        data-palette
        onFocus={(event) => releaseKeys(event.currentTarget)}
        leftSection={<Search size={17} aria-hidden />}
      />
      <Spotlight.ActionsList>
        {pages.length > 0 && (
          <Spotlight.ActionsGroup label={en.shell.palettePages}>
            {pages.map(({ to, label, icon: Icon }) => (
              <Spotlight.Action
                key={to}
                label={label}
                leftSection={<Icon size={17} aria-hidden />}
                onClick={() => void navigate({ to, params: { account } })}
              />
            ))}
          </Spotlight.ActionsGroup>
        )}
        {contacts.length > 0 && (
          <Spotlight.ActionsGroup label={en.shell.paletteContacts}>
            {contacts.map(({ id, email }) => (
              <Spotlight.Action
                key={id}
                label={email}
                leftSection={<User size={17} aria-hidden />}
                onClick={() =>
                  void navigate({ to: '/accounts/$account/contacts/$contact', params: { account, contact: id } })
                }
              />
            ))}
          </Spotlight.ActionsGroup>
        )}
        {accounts.length > 0 && (
          <Spotlight.ActionsGroup label={en.shell.paletteAccounts}>
            {accounts.map(({ id, name }) => (
              <Spotlight.Action
                key={id}
                label={name}
                leftSection={<Building2 size={17} aria-hidden />}
                onClick={() => void navigate({ to: '/accounts/$account', params: { account: String(id) } })}
              />
            ))}
          </Spotlight.ActionsGroup>
        )}
        {pages.length + accounts.length + contacts.length === 0 && (
          <Spotlight.Empty>{en.shell.paletteEmpty}</Spotlight.Empty>
        )}
      </Spotlight.ActionsList>
    </Spotlight.Root>
  )
}
