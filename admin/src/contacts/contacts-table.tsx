// biome-ignore-all lint/a11y/useSemanticElements: rows out of sight are not drawn, and those in sight are placed by hand, which a <table> can not do
// biome-ignore-all lint/a11y/useFocusableInteractive: the cells of a plain table are not focused; what is in them is
// biome-ignore-all lint/a11y/noNoninteractiveTabindex: who has no pointer scrolls by keys
import { ActionIcon, Alert, Button, Checkbox, Loader, UnstyledButton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useVirtualizer } from '@tanstack/react-virtual'
import { ArrowDown, ArrowUp, Pencil } from 'lucide-react'
import { lazy, type ReactNode, Suspense, useRef, useState } from 'react'
import { useAccount } from '../api/client.ts'
import type { Contact } from '../api/queries.ts'
import { Loaded, Loading } from '../components/states.tsx'
import * as en from '../strings/en.ts'
import type { Column } from './columns.tsx'
import classes from './contacts-table.module.css'
import { contactsPage, type Which } from './pages-query.ts'
import { rowsOf, usePages, useWalk } from './use-pages.ts'

const CellEditor = lazy(async () => ({ default: (await import('./cell-editor.tsx')).CellEditor }))

const ROW_PX = 40
/** Rows beyond the edges that are drawn already. */
const OVERSCAN = 12
/** Pages with a row so near to the edges are held: at 60 screens a second, 200 rows are behind the edge for 0.2 s. */
const NEAR = 200

/** Who is selected: those marked, or of all that the search finds those who are not. By id, with their addresses. */
export interface Selected {
  all: boolean
  marked: ReadonlyMap<string, string>
}
export const NOBODY: Selected = { all: false, marked: new Map() }
export const EVERYBODY: Selected = { all: true, marked: new Map() }

interface Props {
  which: Which
  columns: readonly Column[]
  sort: string | undefined
  onSort: (sort: string | undefined) => void
  /** Left out where nothing can be done with a selection. */
  selection?: { selected: Selected; onSelect: (selected: Selected) => void }
  empty: ReactNode
}

/** Contacts as a table that draws the rows in sight alone, and holds the pages around them. */
export function ContactsTable({ empty, ...props }: Props) {
  const { which, sort } = props
  const first = useQuery(contactsPage(useAccount(), which, sort, ''))
  return (
    <Loaded query={first} loading={<Loading lines={12} />}>
      {({ data }) => (data.length === 0 ? empty : <Rows key={JSON.stringify([which, sort])} {...props} />)}
    </Loaded>
  )
}

function Rows({ which, columns, sort, onSort, selection }: Omit<Props, 'empty'>) {
  const account = useAccount()
  const scroller = useRef<HTMLDivElement>(null)
  const [editing, setEditing] = useState<{ id: string; column: string }>()
  /** The cell whose input had the focus when it went: its button gets it. */
  const left = useRef<string>(undefined)
  const [walk, goOn] = useWalk(which, sort)
  const count = rowsOf(walk)
  const more = walk.tail === undefined
  const rows = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: OVERSCAN,
  })
  const items = rows.getVirtualItems()
  const { startIndex, endIndex } = rows.range ?? { startIndex: 0, endIndex: 0 }
  const pages = usePages(which, sort, [walk, goOn], startIndex - NEAR, endIndex + NEAR)
  const inSight = pages.contactsIn(startIndex, endIndex)

  const template = `${selection ? '40px ' : ''}${columns.map(({ width }, at) => (at === 0 ? `minmax(${width}px, 1fr)` : `${width}px`)).join(' ')}`
  const style = {
    gridTemplateColumns: template,
    minWidth: columns.reduce((sum, { width }) => sum + width, selection ? 40 : 0),
  }
  const isSelected = ({ id }: Contact) =>
    selection !== undefined && selection.selected.all !== selection.selected.marked.has(id)
  const ticked = inSight.filter(isSelected).length
  const select = (contacts: readonly Contact[], wanted: boolean) => {
    if (!selection) return
    const { all } = selection.selected
    const marked = new Map(selection.selected.marked)
    for (const { id, email } of contacts) {
      if (wanted === all) marked.delete(id)
      else marked.set(id, email)
    }
    selection.onSelect({ all, marked })
  }

  return (
    <div role="table" aria-label={en.contacts.table} aria-rowcount={more ? -1 : count + 1} className={classes.table}>
      <div ref={scroller} className={classes.scroller} tabIndex={0} role="rowgroup">
        <div role="row" aria-rowindex={1} className={classes.header} style={style}>
          {selection && (
            <div role="columnheader" className={classes.check}>
              <Checkbox
                size="xs"
                aria-label={en.contacts.selectLoaded}
                checked={ticked > 0 && ticked === inSight.length}
                indeterminate={ticked > 0 && ticked < inSight.length}
                onChange={() => select(inSight, ticked < inSight.length)}
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
            const contact = pages.contactAt(index)
            if (!contact) return null // the ground is drawn as lines to come
            return (
              <div
                key={contact.id}
                role="row"
                aria-rowindex={index + 2}
                className={classes.row}
                data-selected={isSelected(contact) || undefined}
                style={{ ...style, transform: `translateY(${start}px)` }}
              >
                {selection && (
                  <div role="cell" className={classes.check}>
                    <Checkbox
                      size="xs"
                      aria-label={en.contacts.selectRow(contact.email)}
                      checked={isSelected(contact)}
                      onChange={() => select([contact], !isSelected(contact))}
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
                          <CellEditor
                            contact={contact}
                            field={column.field}
                            onDone={(hadFocus) => {
                              if (hadFocus) left.current = `${contact.id} ${column.name}`
                              setEditing(undefined)
                            }}
                          />
                        </Suspense>
                      ) : (
                        <>
                          <span className={classes.text}>{column.show(contact, String(account.id))}</span>
                          {canEdit && (
                            <ActionIcon
                              className={classes.pencil}
                              ref={(button: HTMLButtonElement | null) => {
                                if (!button || left.current !== `${contact.id} ${column.name}`) return
                                left.current = undefined
                                button.focus()
                              }}
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
        {pages.retry ? (
          <Alert color="red" role="alert" className={classes.failed}>
            {en.common.loadFailed}{' '}
            <Button size="compact-xs" variant="default" onClick={pages.retry}>
              {en.common.retry}
            </Button>
          </Alert>
        ) : (
          more && (
            <div className={classes.more} role="presentation">
              <Loader size="xs" aria-hidden />
            </div>
          )
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
