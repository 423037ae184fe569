import { timingSafeEqual } from 'node:crypto'
import { AppError, invalid } from '../../lib/app-error.ts'
import { hmac, hmacAll, type Keyring } from '../../lib/secret.ts'
import type { FeedHead } from './feed.ts'

const MAC_BYTES = 12
const PURPOSE = 'feed cursor'
/** 12 of the signature, 16 of the epoch, 8 each of floor and position. */
const BYTES = MAC_BYTES + 16 + 8 + 8
/** Stands for the floor of the first epoch. */
const NO_FLOOR = 2n ** 64n - 1n

/**
 * Cursors of the feed: the epoch, its floor and a position, signed for one account. Readers keep them for as long as they
 * like, so that any key of the ring is taken; the cursors of pages are for now, and only know the newest.
 */
export class FeedCursors {
  readonly #keyring: Keyring

  constructor(keyring: Keyring) {
    this.#keyring = keyring
  }

  write(accountId: number, { epoch, floor }: Omit<FeedHead, 'position'>, position: number): string {
    const place = Buffer.alloc(BYTES - MAC_BYTES)
    place.write(epoch.replaceAll('-', ''), 'hex')
    place.writeBigUInt64BE(floor === null ? NO_FLOOR : BigInt(floor), 16)
    place.writeBigUInt64BE(BigInt(position), 24)
    const mac = Buffer.from(hmac(this.#keyring, PURPOSE, signed(accountId, place)).value, 'hex')
    return Buffer.concat([mac.subarray(0, MAC_BYTES), place]).toString('base64url')
  }

  /**
   * The position of a cursor that `write` made for this account. Throws `invalid`, under `place`, for any other; and `gone`,
   * with a cursor to go on from, for one of an earlier epoch.
   */
  read(accountId: number, head: FeedHead, cursor: string, place = 'after'): number {
    const bytes = Buffer.from(cursor, 'base64url')
    if (bytes.length !== BYTES || bytes.toString('base64url') !== cursor || !this.#isOurs(accountId, bytes))
      throw invalid({
        [place]: ["is not a cursor of this account's feed: give next_cursor of an earlier page, start or now"],
      })
    const epoch = bytes.subarray(MAC_BYTES, MAC_BYTES + 16).toString('hex')
    const floor = bytes.readBigUInt64BE(MAC_BYTES + 16)
    const position = Number(bytes.readBigUInt64BE(MAC_BYTES + 24))
    if (epoch === head.epoch.replaceAll('-', '')) return position
    // Up to the lower of both floors, the feed that the cursor was given for and this one tell the same.
    const agreed = Math.min(position, head.position, head.floor ?? Number.POSITIVE_INFINITY, floorOf(floor))
    throw new AppError(
      'gone',
      'The feed has begun anew, as an older copy of the database was put back: go on from resume_after',
      undefined,
      undefined,
      { resume_after: this.write(accountId, head, agreed), position: agreed },
    )
  }

  #isOurs(accountId: number, bytes: Buffer): boolean {
    const mac = bytes.subarray(0, MAC_BYTES)
    const text = signed(accountId, bytes.subarray(MAC_BYTES))
    return hmacAll(this.#keyring, PURPOSE, text).some(({ value }) =>
      timingSafeEqual(mac, Buffer.from(value, 'hex').subarray(0, MAC_BYTES)),
    )
  }
}

const signed = (accountId: number, place: Buffer) => `${accountId} ${place.toString('hex')}`

const floorOf = (floor: bigint) => (floor === NO_FLOOR ? Number.POSITIVE_INFINITY : Number(floor))
