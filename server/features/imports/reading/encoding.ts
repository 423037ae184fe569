import { isAscii, isUtf8 } from 'node:buffer'
import { analyse } from 'chardet'
import type { Bytes } from './source-bytes.ts'
import { UnreadableFile } from './unreadable.ts'

export interface EncodingFound {
  encoding: string
  /** What chardet takes the bytes for, when that is something else. */
  guess: string | null
  /** The bytes have some that the encoding has not; they read as U+FFFD. */
  isDamaged: boolean
  /** False only when there is certainly no NUL in the text. */
  mayHoldNul: boolean
}

/** In a text of Windows-1252, hardly any letter beyond ASCII reads as UTF-8 by chance. */
const UTF8_PER_WRONG = 4

/**
 * The encoding of a text: that of its BOM, UTF-16 by where its NULs are, UTF-8 if all of it is, else Windows-1252. A file
 * of UTF-8 with a few wrong bytes stays UTF-8. One pass over the whole file (the only é may stand in the last row), about
 * 0.1 s for 100 MB.
 */
export async function detectEncoding(bytes: Bytes, head: Buffer, asked: string | undefined): Promise<EncodingFound> {
  const label = asked === undefined ? utf16Of(head) : canonicalLabel(asked)
  if (label?.startsWith('utf-16')) return { encoding: label, guess: null, isDamaged: false, mayHoldNul: true }

  const seen = await surveyUtf8(bytes)
  const isLikelyUtf8 = seen.wrong === 0 || startsWithBom(head) || seen.beyondAscii >= seen.wrong * UTF8_PER_WRONG
  const encoding = label ?? (isLikelyUtf8 ? 'utf-8' : 'windows-1252')
  return {
    encoding,
    guess: isLikelyUtf8 || label !== undefined ? null : guessEncoding(seen.sample, encoding),
    isDamaged: encoding === 'utf-8' && seen.wrong > 0,
    mayHoldNul: seen.holdsNul,
  }
}

/** The text of bytes, without a BOM. UTF-8 is handed on as it is: the parser reads that. */
export async function* decode(bytes: Bytes, encoding: string): AsyncGenerator<string | Buffer> {
  if (encoding === 'utf-8') return yield* withoutBom(bytes)
  const decoder = new TextDecoder(encoding)
  for await (const chunk of bytes()) yield decoder.decode(chunk, { stream: true })
  yield decoder.decode()
}

async function* withoutBom(bytes: Bytes): AsyncGenerator<Buffer> {
  let start: Buffer | null = Buffer.alloc(0)
  for await (const chunk of bytes()) {
    if (start === null) yield chunk
    else {
      start = Buffer.concat([start, chunk])
      if (start.length < BOM.length) continue
      yield startsWithBom(start) ? start.subarray(BOM.length) : start
      start = null
    }
  }
  if (start !== null) yield start
}

const BOM = Buffer.from('\ufeff')

function startsWithBom(bytes: Buffer): boolean {
  return bytes.subarray(0, BOM.length).equals(BOM)
}

function canonicalLabel(asked: string): string {
  try {
    return new TextDecoder(asked).encoding
  } catch {
    throw new UnreadableFile(`The encoding '${asked.slice(0, 40)}' is not known; try utf-8, utf-16le or windows-1252`)
  }
}

/**
 * By BOM, else by NULs: of ASCII in UTF-16, which all delimiters and digits are, every second byte is 0. A text of another
 * encoding that holds NULs has line ends without one beside them.
 */
function utf16Of(head: Buffer): 'utf-16le' | 'utf-16be' | undefined {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le'
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be'
  const nuls = [0, 0]
  const endsIn16 = [0, 0]
  let ends = 0
  for (let at = 0; at < head.length; at++) {
    const byte = head[at]
    if (byte === 0) nuls[at % 2]!++
    if (byte !== 10 && byte !== 13) continue
    ends++
    if (head[at % 2 === 0 ? at + 1 : at - 1] === 0) endsIn16[at % 2]!++
  }
  const many = ends === 0 ? head.length / 4 : head.length / 20
  const is16 = (low: 0 | 1) => nuls[1 - low]! > many && nuls[1 - low]! > nuls[low]! * 10 && endsIn16[low] === ends
  if (is16(0)) return 'utf-16le'
  if (is16(1)) return 'utf-16be'
}

interface Survey {
  wrong: number
  beyondAscii: number
  holdsNul: boolean
  /** Bytes around the first that are no UTF-8. */
  sample: Buffer
}

async function surveyUtf8(bytes: Bytes): Promise<Survey> {
  const seen: Survey = { wrong: 0, beyondAscii: 0, holdsNul: false, sample: Buffer.alloc(0) }
  let rest = Buffer.alloc(0)
  const look = (part: Buffer) => {
    if (isAscii(part)) return
    const text = part.toString('utf8')
    // A character beyond ASCII has more bytes than UTF-16 units; a wrong byte is one U+FFFD.
    seen.beyondAscii += part.length - text.length
    if (isUtf8(part)) return
    if (seen.wrong === 0) seen.sample = Buffer.from(part.subarray(0, 64 * 1024))
    seen.wrong += text.split('\ufffd').length - 1
  }
  for await (const chunk of bytes()) {
    if (!seen.holdsNul && chunk.includes(0)) seen.holdsNul = true
    const joined = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    const end = lastWhole(joined)
    look(joined.subarray(0, end))
    rest = Buffer.from(joined.subarray(end))
  }
  look(rest)
  return seen
}

/** Where the last character begins, if bytes of it may be in the next chunk; else the end. */
function lastWhole(chunk: Buffer): number {
  for (let back = 1; back <= 3 && back <= chunk.length; back++) {
    const byte = chunk[chunk.length - back]!
    if (byte < 0x80) return chunk.length
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
      return length > back ? chunk.length - back : chunk.length
    }
  }
  return chunk.length
}

function guessEncoding(sample: Buffer, encoding: string): string | null {
  const best = analyse(sample)[0]?.name.toLowerCase() ?? null
  // To chardet, Windows-1252 is ISO-8859-1 where a text has none of the 27 characters in which they differ.
  const isSame = best === encoding || best === 'iso-8859-1' || best === 'ascii' || best === 'utf-8'
  return isSame ? null : best
}
