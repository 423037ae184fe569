import { UnreadableFile } from './unreadable.ts'

/** The text of one contact, still to be parsed. */
export interface JsonText {
  /** Its line, or in a document its place among the contacts; counted from 1. */
  line: number
  text: string
}

/** In characters; as for a record of CSV, no more than this is held. */
const LONGEST = 2 ** 20
const LONGEST_KEY = 20

/** The lines of NDJSON that are not blank. */
export async function* splitLines(text: AsyncIterable<string>): AsyncGenerator<JsonText[]> {
  let rest = ''
  let line = 1
  for await (const chunk of text) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop()!
    checkLength(rest, `The line ${line + lines.length}`, line + lines.length)
    const first = line
    line += lines.length
    yield lines.map((each, at) => ({ line: first + at, text: each })).filter(({ text }) => text.trim() !== '')
  }
  if (rest.trim() !== '') yield [{ line, text: rest }]
}

/**
 * The elements of a document's array of contacts, either the document itself or what stands under its key `contacts`.
 * Throws UnreadableFile when there is none, or the document ends within it.
 */
export async function* splitDocument(text: AsyncIterable<string>): AsyncGenerator<JsonText[]> {
  const scanner = new Scanner()
  for await (const chunk of text) yield scanner.scan(chunk)
  scanner.end()
}

/** Follows brackets and quotes alone: whether an element is correct JSON shows when it is parsed, and spoils no other. */
class Scanner {
  #place: 'before' | 'inside' | 'after' = 'before'
  #depth = 0
  /** The depth at which the elements of the array stand. */
  #elementDepth = 0
  #inString = false
  #isEscaped = false
  /** The latest text at the depth of the document's keys, and whether a colon came behind it. */
  #key = ''
  #isKey = false
  #element = ''
  #inElement = false
  #needsComma = false
  #count = 0

  scan(text: string): JsonText[] {
    const found: JsonText[] = []
    let start = 0
    for (let at = 0; at < text.length; at++) {
      const character = text[at]!
      if (this.#inString) {
        this.#passString(character)
        continue
      }
      if (this.#place === 'inside' && !this.#inElement && !this.#isBetween(character)) {
        this.#inElement = true
        start = at
      }
      const ends = this.#step(character)
      if (!ends) continue
      // A bracket belongs to the element that it closes; a comma, or the array's own bracket, does not.
      const isOwn = this.#place === 'inside' && character !== ','
      this.#element += text.slice(start, isOwn ? at + 1 : at)
      found.push({ line: ++this.#count, text: this.#takeElement() })
      if (character === ',') this.#needsComma = false
    }
    if (this.#inElement) {
      this.#element += text.slice(start)
      checkLength(this.#element, `The contact number ${this.#count + 1}`, this.#count + 1)
    }
    return found
  }

  end(): void {
    if (this.#place === 'before') {
      throw new UnreadableFile('The JSON has no array of contacts: it must be [{…}] or {"contacts": [{…}]}')
    }
    if (this.#place === 'inside' || this.#depth !== 0) {
      const message = `The JSON ends too early, in or after contact number ${this.#count + 1}; upload the whole file`
      throw new UnreadableFile(message, this.#count + 1)
    }
  }

  #takeElement(): string {
    const element = this.#element
    this.#element = ''
    this.#inElement = false
    this.#needsComma = true
    return element
  }

  #passString(character: string): void {
    if (this.#isEscaped) this.#isEscaped = false
    else if (character === '\\') this.#isEscaped = true
    else if (character === '"') this.#inString = false
    else if (this.#place === 'before' && this.#depth === 1 && this.#key.length < LONGEST_KEY) this.#key += character
  }

  /** White space, and the one comma that stands between elements; with the bracket that ends the array. */
  #isBetween(character: string): boolean {
    if (character === ' ' || character === '\n' || character === '\r' || character === '\t' || character === ']')
      return true
    if (character === ',' && this.#needsComma) {
      this.#needsComma = false
      return true
    }
    if (character !== ',' && !this.#needsComma) return false
    const message = `The JSON has a comma too many or too few before contact number ${this.#count + 1}`
    throw new UnreadableFile(message, this.#count + 1)
  }

  /** @returns Whether an element ends here. */
  #step(character: string): boolean {
    switch (character) {
      case '"':
        this.#inString = true
        if (this.#place === 'before') this.#key = ''
        this.#isKey = false
        return false
      case '[':
      case '{':
        this.#open(character)
        return false
      case ']':
      case '}':
        return this.#close()
      case ',':
        this.#isKey = false
        return this.#inElement && this.#depth === this.#elementDepth
      case ':':
        this.#isKey = this.#depth === 1 && this.#key === 'contacts'
        return false
      default:
        return false
    }
  }

  #open(character: string): void {
    const isArray =
      this.#place === 'before' && character === '[' && (this.#depth === 0 || (this.#depth === 1 && this.#isKey))
    this.#depth++
    this.#isKey = false
    if (!isArray) return
    this.#place = 'inside'
    this.#elementDepth = this.#depth
  }

  #close(): boolean {
    this.#depth--
    if (this.#place !== 'inside') return false
    if (this.#depth >= this.#elementDepth) return this.#depth === this.#elementDepth
    this.#place = 'after'
    return this.#inElement
  }
}

function checkLength(text: string, what: string, line: number): void {
  if (text.length <= LONGEST) return
  throw new UnreadableFile(`${what} is longer than ${LONGEST} characters; is a quote in it never closed?`, line)
}
