import { Table, VisuallyHidden } from '@mantine/core'
import type { ReactNode } from 'react'
import classes from './table.module.css'

export interface Column<Row> {
  title: string
  cell: (row: Row) => ReactNode
  /** Numbers stand under each other by their last digit. */
  isFigure?: boolean
  /** A title that only readers of the screen are told. */
  isTitleHidden?: boolean
}

interface RowsProps<Row> {
  /** What it is a table of. */
  label: string
  rows: readonly Row[]
  columns: readonly Column<Row>[]
  keyOf: (row: Row) => string | number
}

/** A plain table of rows that are all there; on a narrow screen it scrolls in its own frame. */
export function Rows<Row>({ label, rows, columns, keyOf }: RowsProps<Row>) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be scrolled by the keyboard, too
    <section className={classes.frame} aria-label={label} tabIndex={0}>
      <Table verticalSpacing="xs" horizontalSpacing="md">
        <Table.Thead>
          <Table.Tr>
            {columns.map(({ title, isFigure, isTitleHidden }) => (
              <Table.Th key={title} className={isFigure ? classes.figure : undefined}>
                {isTitleHidden ? <VisuallyHidden>{title}</VisuallyHidden> : title}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row) => (
            <Table.Tr key={keyOf(row)} className={classes.row}>
              {columns.map(({ title, cell, isFigure }) => (
                <Table.Td key={title} className={isFigure ? classes.figure : undefined}>
                  {cell(row)}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </section>
  )
}
