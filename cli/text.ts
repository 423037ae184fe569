/**
 * What a terminal would act on instead of showing: control characters (C0 and C1), what turns the direction of writing round
 * or hides, line separators, and half surrogates.
 */
const HOSTILE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

function escaped(sign: string): string {
  return `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** A text on one line, safe to be shown: what a terminal would act on reads as `\u001b`. */
export function printable(text: string): string {
  return text.replace(HOSTILE, escaped)
}

/** The same for a text of many lines: line breaks and tabs stay. */
export function printableLines(text: string): string {
  return text.replace(/\r\n/g, '\n').replace(HOSTILE, (sign) => (sign === '\n' || sign === '\t' ? sign : escaped(sign)))
}

/** JSON that means the same and holds nothing that a terminal acts on: `JSON.stringify` escapes but a part of it. */
export function printableJson(value: unknown, indent?: number): string {
  const text = JSON.stringify(value, null, indent) ?? 'null'
  return text.replace(HOSTILE, (sign) => (sign === '\n' ? sign : escaped(sign)))
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })

/** Columns that a printable text takes in a terminal: letters of East Asia and pictures take two. */
export function widthOf(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the first test is for plain ASCII
  if (/^[\x00-\x7f]*$/.test(text)) return text.length
  let width = 0
  for (const { segment } of graphemes.segment(text)) width += isWide(segment) ? 2 : 1
  return width
}

const WIDE =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff01-\uff60\uffe0-\uffe6]/u

function isWide(grapheme: string): boolean {
  return WIDE.test(grapheme) || /^\p{Emoji_Presentation}|\ufe0f/u.test(grapheme)
}

/** At most so many columns wide, with `…` where something was left out. */
export function shortened(text: string, most: number): string {
  if (widthOf(text) <= most) return text
  let kept = ''
  let width = 1
  for (const { segment } of graphemes.segment(text)) {
    width += isWide(segment) ? 2 : 1
    if (width > most) break
    kept += segment
  }
  return `${kept}…`
}
