import { SaxesParser } from 'saxes'
import { UnreadableFile } from './unreadable.ts'

export interface XmlHandlers {
  /** @param name Without its prefix: some programs write `x:row`. */
  open?: (name: string, attributes: Readonly<Record<string, string>>) => void
  close?: (name: string) => void
  text?: (text: string) => void
}

/** In characters. A cell of Excel has 32,767 at most; more between two tags is an attack, of which no more than this is held. */
const LONGEST_RUN = 2 ** 22

/** What programs add for themselves: `x14:workbookPr` in there says nothing of dates, which `workbookPr` does. */
const EXTENSIONS = 'extLst'

/**
 * Parses XML as it comes and yields after each chunk, so that what the handlers gathered can be taken. Entities that a
 * document defines itself are not expanded, and extensions are passed over. Throws UnreadableFile.
 */
export async function* parseXml(chunks: AsyncIterable<Buffer>, handlers: XmlHandlers): AsyncGenerator<void> {
  const parser = new SaxesParser()
  let run = 0
  let extensions = 0
  parser.on('opentag', ({ name, attributes }) => {
    run = 0
    const local = localName(name)
    if (local === EXTENSIONS) extensions++
    if (extensions === 0) handlers.open?.(local, attributes)
  })
  parser.on('closetag', ({ name }) => {
    run = 0
    const local = localName(name)
    if (extensions === 0) handlers.close?.(local)
    if (local === EXTENSIONS) extensions--
  })
  const { text } = handlers
  if (text) {
    const take = (more: string) => {
      if (extensions === 0) text(more)
    }
    parser.on('text', take)
    parser.on('cdata', take)
  }
  const decoder = new TextDecoder()
  for await (const chunk of chunks) {
    run += chunk.length
    feed(parser, decoder.decode(chunk, { stream: true }))
    if (run > LONGEST_RUN) throw new UnreadableFile('A cell of the workbook is far too long; save it as CSV')
    yield
  }
  feed(parser, decoder.decode())
  feed(parser, null)
}

/** Parses all of it. */
export async function readXml(chunks: AsyncIterable<Buffer>, handlers: XmlHandlers): Promise<void> {
  for await (const _ of parseXml(chunks, handlers));
}

/** The value of an attribute, whatever its prefix. */
export function attribute(attributes: Readonly<Record<string, string>>, local: string): string | undefined {
  return attributes[local] ?? Object.entries(attributes).find(([name]) => name.endsWith(`:${local}`))?.[1]
}

function feed(parser: SaxesParser, text: string | null): void {
  try {
    if (text === null) parser.close()
    else parser.write(text)
  } catch (error) {
    if (error instanceof UnreadableFile) throw error
    throw new UnreadableFile('The workbook is damaged; open it in a spreadsheet and save it again', null, error)
  }
}

function localName(name: string): string {
  const at = name.indexOf(':')
  return at === -1 ? name : name.slice(at + 1)
}
