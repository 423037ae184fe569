import { Button, CloseButton, Text, TextInput } from '@mantine/core'
import { useDebouncedCallback, useDisclosure, useLocalStorage } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { Funnel, Plus, Search, SearchX, Users } from 'lucide-react'
import { lazy, Suspense, useEffect, useMemo, useState } from 'react'
import { useAccount } from '../../api/client.ts'
import { fieldsQuery } from '../../api/queries.ts'
import { Page } from '../../components/page.tsx'
import { Empty } from '../../components/states.tsx'
import { chosenColumns, columnsFor } from '../../contacts/columns.tsx'
import { ColumnsMenu } from '../../contacts/columns-menu.tsx'
import { ContactsTable, NOBODY, type Selected } from '../../contacts/contacts-table.tsx'
import { contactsPage, exactTotal, type Which } from '../../contacts/pages-query.ts'
import { searchOf } from '../../contacts/view-search.ts'
import { read, size } from '../../criteria/tree.ts'
import { useVocabulary } from '../../criteria/vocabulary.ts'
import { describe } from '../../criteria/words.ts'
import * as en from '../../strings/en.ts'
import { BulkBar } from './bulk-bar.tsx'
import classes from './contacts.module.css'
import { ViewsMenu } from './views-menu.tsx'

const route = getRouteApi('/accounts/$account/contacts')

// A third of all scripts of this page, and not needed before someone asks for them.
const FilterDrawer = lazy(async () => ({ default: (await import('./filter-drawer.tsx')).FilterDrawer }))
const CreateDialog = lazy(async () => ({ default: (await import('./create-dialog.tsx')).CreateDialog }))

/** After a pause in typing, in ms: one request for each. */
const PAUSE_MS = 150

export function ContactsPage() {
  const account = useAccount()
  const { q, criteria, sort, cols } = route.useSearch()
  const navigate = route.useNavigate()
  const vocabulary = useVocabulary()
  const { data: fields = [] } = useQuery(fieldsQuery(account))
  const [text, setText] = useState(q ?? '')
  const [isFilterOpen, filter] = useDisclosure(false)
  const [isCreateOpen, create] = useDisclosure(false)
  const [kept, keep] = useLocalStorage<string[] | undefined>({
    key: `rollcall-columns-${account.id}`,
    getInitialValueInEffect: false,
  })

  const setSearch = (change: Partial<ReturnType<typeof route.useSearch>>, replace = false) =>
    void navigate({ search: (before) => ({ ...before, ...change }), replace })

  // The address says what is searched for; another entry of the history puts its text back.
  const search = useDebouncedCallback((next: string) => setSearch({ q: next.trim() || undefined }, true), PAUSE_MS)
  useEffect(() => setText((typed) => (typed.trim() === (q ?? '') ? typed : (q ?? ''))), [q])

  // By its text: each reading of the address makes another object.
  const written = criteria === undefined ? undefined : JSON.stringify(criteria)
  const which: Which = useMemo(
    () => ({ ...(q ? { q } : {}), ...(written === undefined ? {} : { criteria: JSON.parse(written) }) }),
    [q, written],
  )
  // A selection is of what was searched for then: another search begins with nobody.
  const [held, setHeld] = useState<{ which: Which; selected: Selected }>({ which, selected: NOBODY })
  const selected = held.which === which ? held.selected : NOBODY
  const setSelected = (next: Selected) => setHeld({ which, selected: next })

  const all = useMemo(() => columnsFor(fields), [fields])
  const shown = chosenColumns(all, cols ?? kept)
  const { data: first } = useQuery(contactsPage(account, which, sort, ''))
  const { data: exact } = useQuery({
    ...exactTotal(account, which),
    enabled: first?.total_is_capped === true,
  })
  const total = first && {
    count: first.total_is_capped ? (exact ?? first.total) : first.total,
    capped: first.total_is_capped === true && exact === undefined,
  }
  const tree = criteria === undefined ? undefined : read(criteria)

  return (
    <Page
      full
      title={en.contacts.title}
      about={total ? <span className="figures">{en.contacts.total(total.count, total.capped)}</span> : '\u00a0'}
      actions={
        account.canWrite && (
          <Button leftSection={<Plus size={16} />} onClick={create.open}>
            {en.contacts.create}
          </Button>
        )
      }
    >
      <search className={classes.bar}>
        <TextInput
          className={classes.search}
          aria-label={en.contacts.search}
          placeholder={en.contacts.search}
          leftSection={<Search size={15} aria-hidden />}
          rightSection={
            text && (
              <CloseButton
                size="sm"
                aria-label={en.contacts.clearSearch}
                onClick={() => {
                  setText('')
                  search('')
                }}
              />
            )
          }
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value)
            search(event.currentTarget.value)
          }}
        />
        <Button variant={tree ? 'light' : 'default'} leftSection={<Funnel size={15} />} onClick={filter.open}>
          {tree ? en.contacts.filterActive(size(tree)) : en.contacts.filter}
        </Button>
        <span className={classes.spacer} />
        <ViewsMenu
          shown={{ q, criteria, sort, columns: shown.map(({ name }) => name) }}
          onOpen={(view) => {
            setText(view.q ?? '')
            setSearch(searchOf(view))
          }}
        />
        <ColumnsMenu
          all={all}
          shown={shown}
          onChange={(names) => {
            keep(names)
            setSearch({ cols: names }, true)
          }}
        />
      </search>
      {tree && (
        <div className={classes.filter}>
          <Text size="sm" className={classes.sentence}>
            {describe(tree, vocabulary)}
          </Text>
          {account.canWrite && (
            <Button
              size="compact-sm"
              variant="subtle"
              renderRoot={(props) => (
                <Link
                  to="/accounts/$account/lists/new"
                  params={{ account: String(account.id) }}
                  search={{ criteria }}
                  {...props}
                />
              )}
            >
              {en.contacts.asSmartList}
            </Button>
          )}
          <Button size="compact-sm" variant="subtle" color="gray" onClick={() => setSearch({ criteria: undefined })}>
            {en.contacts.clearFilter}
          </Button>
        </div>
      )}
      {account.canWrite && (
        <BulkBar
          selected={selected}
          which={which}
          total={total}
          onSelect={setSelected}
          onClear={() => setSelected(NOBODY)}
        />
      )}
      <ContactsTable
        which={which}
        columns={shown}
        sort={sort}
        onSort={(next) => setSearch({ sort: next })}
        {...(account.canWrite ? { selection: { selected, onSelect: setSelected } } : {})}
        empty={
          q || tree ? (
            <Empty
              icon={SearchX}
              title={en.contacts.noneTitle}
              action={
                <Button variant="default" onClick={() => setSearch({ q: undefined, criteria: undefined })}>
                  {en.contacts.clearAll}
                </Button>
              }
            >
              {en.contacts.noneText}
            </Empty>
          ) : (
            <Empty
              icon={Users}
              title={en.contacts.emptyTitle}
              action={account.canWrite && <Button onClick={create.open}>{en.contacts.create}</Button>}
            >
              {en.contacts.emptyText}
            </Empty>
          )
        }
      />
      <Suspense>
        {isFilterOpen && (
          <FilterDrawer
            opened
            onClose={filter.close}
            criteria={criteria}
            onApply={(next) => setSearch({ criteria: next })}
          />
        )}
        {isCreateOpen && <CreateDialog opened onClose={create.close} />}
      </Suspense>
    </Page>
  )
}
