/** Some of many, and where the next are. */
interface Page<Row> {
  data: Row[]
  next_cursor: string | null
}

/** All rows of all pages, each page asked for when the one before it has been gone through. */
export async function* rowsOf<Row>(read: (cursor: string | undefined) => Promise<Page<Row>>): AsyncGenerator<Row> {
  let cursor: string | undefined
  do {
    const page = await read(cursor)
    yield* page.data
    cursor = page.next_cursor ?? undefined
  } while (cursor !== undefined)
}

/** The same for collections that are paged by number alone. */
export async function* rowsByNumber<Row>(
  read: (page: number) => Promise<{ data: Row[]; total_pages: number }>,
): AsyncGenerator<Row> {
  for (let page = 1, last = 1; page <= last; page++) {
    const { data, total_pages } = await read(page)
    yield* data
    last = total_pages
  }
}
