import { PassThrough, Readable } from 'node:stream'
import yazl from 'yazl'
import { csvLine } from '../../lib/spreadsheet-cell.ts'
import { htmlPage, tableOf, textOf, textsOf } from './html.ts'
import { jsonOf, type PersonExport, type Section } from './person-export.ts'

/** The same as files: `person.json`, a CSV for each section, and `index.html` for people to read. */
export function zipOf(person: PersonExport, title: string): Readable {
  const zip = new yazl.ZipFile()
  const output = new PassThrough()
  const sources: Readable[] = []
  const fail = (error: Error) => output.destroy(error)
  const add = (name: string, parts: AsyncGenerator<string>) => {
    // Opened when its turn comes: nothing is read ahead.
    zip.addReadStreamLazy(name, {}, (callback) => {
      const source = Readable.from(parts, { objectMode: false })
      sources.push(source)
      callback(null, source)
    })
  }
  zip.on('error', fail)
  add('index.html', pageOf(person, title))
  add('person.json', jsonOf(person))
  for (const [name, read] of Object.entries(person.sections)) add(`${name}.csv`, csvOf(read))
  zip.outputStream.on('error', fail).pipe(output)
  zip.end()
  output.on('close', () => {
    for (const source of sources) source.destroy()
  })
  return output
}

async function* csvOf(read: PersonExport['sections'][Section]): AsyncGenerator<string> {
  let columns: string[] | undefined
  for await (const rows of read()) {
    if (!columns && rows[0]) {
      columns = Object.keys(rows[0])
      yield csvLine(columns)
    }
    yield rows.map((row) => csvLine(columns!.map((column) => textOf(row[column])))).join('')
  }
}

async function* pageOf({ about, sections }: PersonExport, title: string): AsyncGenerator<string> {
  const [head, foot] = htmlPage(title)
  yield head
  const { contact, exported_at } = about as { contact: Record<string, unknown>; exported_at: string }
  const facts = Object.entries(contact).map(([name, value]) => ({ name, value: textOf(value) }))
  yield tableOf('contact', [{ name: 'exported_at', value: exported_at }, ...facts])
  for (const [name, read] of Object.entries(sections)) {
    let isFirst = true
    for await (const rows of read()) {
      yield tableOf(isFirst ? name : '', rows.map(textsOf))
      isFirst = false
    }
  }
  yield foot
}
