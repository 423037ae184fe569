/**
 * A file that can't be read as a table, or not on. The message is for the person who chose the file: what is wrong, where,
 * and what would be right. It never holds a cell's content.
 */
export class UnreadableFile extends Error {
  override readonly name = 'UnreadableFile'
  /** The line of the text, or the row of the sheet, where the trouble begins; null when it is about the whole file. */
  readonly line: number | null

  constructor(message: string, line: number | null = null, cause?: unknown) {
    super(message, { cause })
    this.line = line
  }
}
