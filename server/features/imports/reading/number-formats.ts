/** What a cell's number stands for, by the format in which it is shown. */
export type NumberMeaning = 'number' | 'date' | 'time' | 'elapsed'

/** The formats that have numbers and no definition (ECMA-376, 18.8.30; 27 to 36 and 50 to 58 are East Asian dates). */
const BUILT_IN_DATES = new Set([14, 15, 16, 17, 22, 27, 28, 29, 30, 31, 36, 50, 51, 52, 53, 54, 57, 58])
const BUILT_IN_TIMES = new Set([18, 19, 20, 21, 32, 33, 34, 35, 45, 47, 55, 56])
const BUILT_IN_ELAPSED = 46

/** @param code The format's definition, where the workbook has one for this id. */
export function meaningOf(id: number, code: string | undefined): NumberMeaning {
  if (code === undefined) {
    if (id === BUILT_IN_ELAPSED) return 'elapsed'
    return BUILT_IN_DATES.has(id) ? 'date' : BUILT_IN_TIMES.has(id) ? 'time' : 'number'
  }
  // Only the part for positive numbers, without texts, escaped characters, fillers, and brackets but elapsed times.
  const letters = code
    .replace(/"[^"]*"|\\.|[_*]./g, '')
    .split(';', 1)[0]!
    .replace(/\[(?!h+\]|m+\]|s+\])[^\]]*\]/gi, '')
    .replace(/general|am\/pm|a\/p/gi, '')
    .toLowerCase()
  if (/[yd]|mmm/.test(letters)) return 'date'
  if (/\[/.test(letters)) return 'elapsed'
  if (/[hs]/.test(letters)) return 'time'
  return /m/.test(letters) && !/[0#?]/.test(letters) ? 'date' : 'number'
}

const DAY_SECONDS = 86_400
/** 9999-12-31 in the system of 1900. */
const LAST_DAY = 2_958_465
const EPOCH_1900 = Date.UTC(1899, 11, 30)
const EPOCH_1904 = Date.UTC(1904, 0, 1)

/**
 * The day, and the time of it if there is one, that a date's number stands for: YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS, rounded
 * to a second. A number that is no day of the calendar is returned as it is: negative ones, and in the system of 1900 also
 * 0 and 60, the 29th of February that 1900 did not have.
 */
export function readSerial(serial: number, is1904: boolean): string | number {
  const seconds = Math.round(serial * DAY_SECONDS)
  const days = Math.floor(seconds / DAY_SECONDS)
  if (days < 0 || days > LAST_DAY || (!is1904 && (days === 0 || days === 60))) return serial
  // Before that day that was not, the system of 1900 counts one too few.
  const shift = !is1904 && days < 60 ? 1 : 0
  const epoch = is1904 ? EPOCH_1904 : EPOCH_1900
  const date = new Date(epoch + (seconds + shift * DAY_SECONDS) * 1000)
  if (date.getUTCFullYear() > 9999) return serial
  return date.toISOString().slice(0, seconds % DAY_SECONDS === 0 ? 10 : 19)
}

/** A time of day as HH:MM:SS, or with the day before it, if the number has one. A negative number is returned as it is. */
export function readTime(serial: number, is1904: boolean): string | number {
  return serial >= 1 ? readSerial(serial, is1904) : readElapsed(serial)
}

/** An elapsed time as HH:MM:SS, of any number of hours. A negative number is returned as it is. */
export function readElapsed(serial: number): string | number {
  if (!(serial >= 0 && serial <= LAST_DAY)) return serial
  const seconds = Math.round(serial * DAY_SECONDS)
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  return parts.map((part) => String(part).padStart(2, '0')).join(':')
}
