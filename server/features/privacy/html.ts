import { createHash } from 'node:crypto'
import { escapeHtml } from '../forms/html.ts'

const STYLE =
  'body{font:1rem/1.5 system-ui,sans-serif;color:#111827;max-width:75rem;margin:2rem auto;padding:0 1rem}' +
  'h1{font-size:1.6rem}h2{font-size:1.2rem;margin:2rem 0 .5rem;text-transform:capitalize}' +
  'table{border-collapse:collapse;width:100%;font-size:.85rem}th,td{border:1px solid #d1d5db;padding:.35rem .5rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}' +
  'th{background:#f3f4f6}@media print{body{margin:0;max-width:none}tr{break-inside:avoid}thead{display:table-header-group}}'

/** Loads nothing and runs nothing, wherever it is opened. */
export const PAGE_POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`

/** What stands before and behind the content of a page that is read and printed. */
export function htmlPage(title: string): [head: string, foot: string] {
  const head = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title><style>${STYLE}</style></head><body><h1>${escapeHtml(title)}</h1>
`
  return [head, '</body></html>\n']
}

/** A table with a heading, where there is one; nothing of no rows. Every text is escaped. */
export function tableOf(heading: string, rows: readonly Record<string, string>[]): string {
  if (rows.length === 0) return ''
  const columns = Object.keys(rows[0]!)
  const cells = (tag: string, texts: readonly string[]) =>
    `<tr>${texts.map((text) => `<${tag}>${escapeHtml(text)}</${tag}>`).join('')}</tr>`
  const body = rows
    .map((row) =>
      cells(
        'td',
        columns.map((column) => row[column] ?? ''),
      ),
    )
    .join('\n')
  const title = heading === '' ? '' : `<h2>${escapeHtml(heading)}</h2>`
  return `${title}<table><thead>${cells('th', columns)}</thead><tbody>${body}</tbody></table>\n`
}

/** A value as it is read. */
export function textOf(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (value instanceof Date) return value.toISOString()
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

export function textsOf(row: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(Object.entries(row).map(([key, value]) => [key, textOf(value)]))
}
