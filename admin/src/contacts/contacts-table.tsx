// biome-ignore-all lint/a11y/useSemanticElements: rows out of sight are not drawn, and those in sight are placed by hand, which a <table> can not do
// biome-ignore-all lint/a11y/useFocusableInteractive: the cells of a plain table are not focused; what is in them is
// biome-ignore-all lint/a11y/noNoninteractiveTabindex: who has no pointer scrolls by keys
import { ActionIcon, Checkbox, Loader, UnstyledButton } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useVirtualizer } from '@tanstack/react-virtual'
import { ArrowDown, ArrowUp, Pencil } from 'lucide-react'
import { lazy, type ReactNode, Suspense, useEffect, useMemo, useRef, useState } from 'react'
import { useAccount } from '../api/client.ts'
import type { Contact } from '../api/queries.ts'
import { Loaded, Loading } from '../components/states.tsx'
import { en } from '../strings/en.ts'
import type { Column } from './columns.tsx'
import classes from './contacts-table.module.css'
import { contactPages, type Which } from './pages-query.ts'

const CellEditor = lazy(async () => ({ default: (await import('./cell-editor.tsx')).CellEditor }))

const ROW_PX = 40
/** Rows beyond the edges that are drawn already. */
const OVERSCAN = 12
/** The next page is asked for while so many rows are still below the edge. */
const AHEAD = 80

/** Who is selected: some by id, or all that the search finds. */
export type Selected = { all: false; contacts: ReadonlyMap<string, Contact> } | { all: true }
export const NOBODY: Selected = { all: false, contacts: new Map() }

interface Props {
  which: Which
  columns: readonly Column[]
  sort: string | undefined
  onSort: (sort: string | undefined) => void
  /** Left out where nothing can be done with a selection. */
  selection?: { selected: Selected; onSelect: (selected: Selected) => void }
  empty: ReactNode
}

/** Contacts as a table that draws the rows in sight alone, and loads further ones before they are reached. */
export function ContactsTable({ which, columns, sort, onSort, selection, empty }: Props) {
  const account = useAccount()
  const query = useInfiniteQuery(contactPages(account, which, sort))
  const contacts = useMemo(() => query.data?.pages.flatMap((page) => page.data) ?? [], [query.data])
  return (
    <Loaded query={query} loading={<Loading lines={12} />}>
      {() =>
        contacts.length === 0 ? (
          empty
        ) : (
          <Rows
            contacts={contacts}
            columns={columns}
            sort={sort}
            onSort={onSort}
            {...(selection ? { selection } : {})}
            more={query.hasNextPage}
            loadMore={() => {
              if (query.hasNextPage && !query.isFetchingNextPage) void query.fetchNextPage()
            }}
          />
        )
      }
    </Loaded>
  )
}

interface RowsProps extends Pick<Props, 'columns' | 'sort' | 'onSort' | 'selection'> {
  contacts: readonly Contact[]
  more: boolean
  loadMore: () => void
}

function Rows({ contacts, columns, sort, onSort, selection, more, loadMore }: RowsProps) {
  const account = useAccount()
  const scroller = useRef<HTMLDivElement>(null)
  const [editing, setEditing] = useState<{ id: string; column: string }>()
  const rows = useVirtualizer({
    count: contacts.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: OVERSCAN,
  })
  const items = rows.getVirtualItems()
  const last = items.at(-1)?.index ?? 0
  useEffect(() => {
    if (more && last > contacts.length - AHEAD) loadMore()
  }, [more, last, contacts.length, loadMore])

  const template = `${selection ? '40px ' : ''}${columns.map(({ width }, at) => (at === 0 ? `minmax(${width}px, 1fr)` : `${width}px`)).join(' ')}`
  const style = {
    gridTemplateColumns: template,
    minWidth: columns.reduce((sum, { width }) => sum + width, selection ? 40 : 0),
  }
  const isSelected = (id: string) =>
    selection !== undefined && (selection.selected.all || selection.selected.contacts.has(id))
  const loaded = contacts.filter(({ id }) => isSelected(id)).length

  const toggle = (contact: Contact) => {
    if (!selection) return
    const { selected } = selection
    const next = new Map(selected.all ? contacts.map((known) => [known.id, known]) : selected.contacts)
    if (!next.delete(contact.id)) next.set(contact.id, contact)
    selection.onSelect({ all: false, contacts: next })
  }

  return (
    <div
      role="table"
      aria-label={en.contacts.table}
      aria-rowcount={more ? -1 : contacts.length + 1}
      className={classes.table}
    >
      <div ref={scroller} className={classes.scroller} tabIndex={0} role="rowgroup">
        <div role="row" aria-rowindex={1} className={classes.header} style={style}>
          {selection && (
            <div role="columnheader" className={classes.check}>
              <Checkbox
                size="xs"
                aria-label={en.contacts.selectLoaded}
                checked={loaded > 0 && loaded === contacts.length}
                indeterminate={loaded > 0 && loaded < contacts.length}
                onChange={() =>
                  selection.onSelect(
                    loaded === contacts.length
                      ? NOBODY
                      : { all: false, contacts: new Map(contacts.map((contact) => [contact.id, contact])) },
                  )
                }
              />
            </div>
          )}
          {columns.map((column) => (
            <HeaderCell key={column.name} column={column} sort={sort} onSort={onSort} />
          ))}
        </div>
        <div
          className={classes.body}
          style={{ height: rows.getTotalSize(), minWidth: style.minWidth }}
          role="presentation"
        >
          {items.map(({ index, start }) => {
            const contact = contacts[index]!
            return (
              <div
                key={contact.id}
                role="row"
                aria-rowindex={index + 2}
                className={classes.row}
                data-selected={isSelected(contact.id) || undefined}
                style={{ ...style, transform: `translateY(${start}px)` }}
              >
                {selection && (
                  <div role="cell" className={classes.check}>
                    <Checkbox
                      size="xs"
                      aria-label={en.contacts.selectRow(contact.email)}
                      checked={isSelected(contact.id)}
                      onChange={() => toggle(contact)}
                    />
                  </div>
                )}
                {columns.map((column) => {
                  const canEdit = column.field !== undefined && account.canWrite
                  const isEditing = editing?.id === contact.id && editing.column === column.name
                  return (
                    <div
                      key={column.name}
                      role="cell"
                      className={classes.cell}
                      onDoubleClick={() => canEdit && setEditing({ id: contact.id, column: column.name })}
                    >
                      {isEditing && column.field ? (
                        <Suspense>
                          <CellEditor contact={contact} field={column.field} onDone={() => setEditing(undefined)} />
                        </Suspense>
                      ) : (
                        <>
                          <span className={classes.text}>{column.show(contact, String(account.id))}</span>
                          {canEdit && (
                            <ActionIcon
                              className={classes.pencil}
                              size={24}
                              variant="subtle"
                              color="gray"
                              aria-label={en.contacts.edit(column.label, contact.email)}
                              onClick={() => setEditing({ id: contact.id, column: column.name })}
                            >
                              <Pencil size={13} />
                            </ActionIcon>
                          )}
                        </>
                      )}
                    </div>
                  )
                })}
              </div>
            )
          })}
        </div>
        {more && (
          <div className={classes.more} role="presentation">
            <Loader size="xs" aria-hidden />
          </div>
        )}
      </div>
    </div>
  )
}

function HeaderCell({ column, sort, onSort }: { column: Column; sort: string | undefined; onSort: Props['onSort'] }) {
  const { name, label, sortable } = column
  const direction = sort === name ? 'ascending' : sort === `-${name}` ? 'descending' : undefined
  if (!sortable)
    return (
      <div role="columnheader" className={classes.head}>
        {label}
      </div>
    )
  const next = direction === undefined ? name : direction === 'ascending' ? `-${name}` : undefined
  return (
    <div role="columnheader" aria-sort={direction ?? 'none'} className={classes.head}>
      <UnstyledButton className={classes.sort} onClick={() => onSort(next)} aria-label={en.contacts.sortBy(label)}>
        {label}
        {direction === 'ascending' && <ArrowUp size={13} aria-hidden />}
        {direction === 'descending' && <ArrowDown size={13} aria-hidden />}
      </UnstyledButton>
    </div>
  )
}
