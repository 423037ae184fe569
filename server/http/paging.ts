import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto'
import { type TSchema, Type } from 'typebox'
import { invalid } from '../lib/app-error.ts'

/** Pages by number read past all rows before them: beyond this many, a cursor is the way. */
const DEEPEST_ROW = 10_000_000

export const PagingQuery = {
  page: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: DEEPEST_ROW,
      description: 'From 1. For walking through everything use cursor.',
    }),
  ),
  per_page: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: '50 unless given.' })),
  cursor: Type.Optional(Type.String({ maxLength: 2000, description: 'next_cursor of the page before.' })),
}

/** The query of collections that are small enough to be paged by number alone. */
export const NumberedPages = Type.Object(
  { page: PagingQuery.page, per_page: PagingQuery.per_page },
  { additionalProperties: false },
)

/** Something, or null where there is none. */
export const Nullable = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()])

/** How a page of such things is answered. */
export const PageOf = <Schema extends TSchema>(schema: Schema) =>
  Type.Object({
    data: Type.Array(schema),
    page: Type.Integer(),
    per_page: Type.Integer(),
    total: Type.Integer(),
    total_is_capped: Type.Optional(
      Type.Boolean({ description: 'There are more than `total`; `total_pages` are those that are known of.' }),
    ),
    total_pages: Type.Integer(),
    next_cursor: Nullable(Type.String()),
  })

export interface Page {
  page: number
  perPage: number
  offset: number
}

/** Throws `invalid` for a page that lies too deep to be read by number. */
export function pageOf(query: { page?: number; per_page?: number }): Page {
  const page = query.page ?? 1
  const perPage = query.per_page ?? 50
  const offset = (page - 1) * perPage
  if (offset > DEEPEST_ROW) {
    throw invalid({ page: [`is too deep: by number only the first ${DEEPEST_ROW} rows can be reached, by cursor all`] })
  }
  return { page, perPage, offset }
}

/**
 * A page as it is answered. Of a capped total the pages are those known of, the next one among them: whoever goes by number
 * until `total_pages` then comes to the end, and not only to the cap.
 */
export function collection<Row>(data: Row[], page: Page, total: number, nextCursor: string | null, isCapped = false) {
  const counted = Math.ceil(total / page.perPage)
  return {
    data,
    page: page.page,
    per_page: page.perPage,
    total,
    ...(isCapped ? { total_is_capped: true } : {}),
    total_pages: isCapped && nextCursor !== null ? Math.max(counted, page.page + 1) : counted,
    next_cursor: nextCursor,
  }
}

/** Where a reader stands; whatever JSON the collection needs to go on from there. */
export type Position = readonly (string | number | boolean | null)[]

/**
 * Cursors that can be neither made up nor carried to another account or another query: `scope` says which collection,
 * of which account, in which order and under which filters, and is signed with the position.
 */
export class Cursors {
  readonly #key: KeyObject

  constructor(key: KeyObject) {
    this.#key = key
  }

  write(scope: readonly unknown[], position: Position): string {
    const text = Buffer.from(JSON.stringify(position))
    return Buffer.concat([this.#sign(scope, text), text]).toString('base64url')
  }

  /** Throws `invalid` unless `write` made this cursor for the same scope. */
  read(scope: readonly unknown[], cursor: string): Position {
    const bytes = Buffer.from(cursor, 'base64url')
    const [mac, text] = [bytes.subarray(0, 12), bytes.subarray(12)]
    if (mac.length < 12 || !timingSafeEqual(mac, this.#sign(scope, text))) {
      throw invalid({
        cursor: [
          'is not one of this collection: use next_cursor of a page with the same filters and order, or leave it out',
        ],
      })
    }
    return JSON.parse(text.toString())
  }

  #sign(scope: readonly unknown[], text: Buffer): Buffer {
    return createHmac('sha256', this.#key)
      .update(JSON.stringify(scope))
      .update('\0')
      .update(text)
      .digest()
      .subarray(0, 12)
  }
}
