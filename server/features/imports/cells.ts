import { isIP } from 'node:net'
import { countCharacters, isStorable } from '../../lib/text.ts'
import type { State } from '../subscriptions/states.ts'
import type { Cell } from './reading/table.ts'

/** What a cell says, or what is wrong with it. */
export type Read<Value> = { value: Value } | { problems: string[] }

/** Whether there is nothing in a cell. */
export function isEmpty(cell: Cell | undefined): boolean {
  return (
    cell === null ||
    cell === undefined ||
    (typeof cell === 'string' && !(cell.charCodeAt(0) > 0x20 && cell.charCodeAt(0) < 0x7f) && cell.trim() === '') ||
    (Array.isArray(cell) && cell.length === 0)
  )
}

/** The text of a cell; of a list that is no text its JSON. */
export function textOf(cell: Cell | undefined): string {
  if (cell === null || cell === undefined) return ''
  return typeof cell === 'object' ? JSON.stringify(cell) : String(cell)
}

const STATE_WORDS: Readonly<Record<State, string>> = {
  subscribed: 'subscribed active confirmed true yes 1 on optedin opt-in enabled',
  unsubscribed: 'unsubscribed inactive false no 0 off optedout opted_out opt-out unsub disabled',
  none: 'none non-subscribed nonsubscribed transactional never_subscribed',
  pending: 'pending unconfirmed',
  bounced: 'bounced cleaned hard_bounced hardbounce undeliverable',
}
const STATES_SAID = new Map(
  (Object.entries(STATE_WORDS) as [State, string][]).flatMap(([state, words]) =>
    words.split(' ').map((word) => [word, state]),
  ),
)

/** A state by our word or one that other services write in their exports. */
export function readState(cell: Cell): Read<State> {
  const state = STATES_SAID.get(
    textOf(cell)
      .trim()
      .toLowerCase()
      .replace(/[ -]+/g, (run) => (run.includes(' ') ? '_' : run)),
  )
  return state ? { value: state } : { problems: [`is not a state: there are ${Object.keys(STATE_WORDS).join(', ')}`] }
}

/** Items of a cell: a list, or a text with commas between them (of Google `:::`), in which an item with a comma stands in quotes. */
export function itemsOf(cell: Cell): string[] {
  if (Array.isArray(cell)) return cell.map((item) => textOf(item as Cell).trim()).filter((item) => item !== '')
  const items: string[] = []
  const text = textOf(cell)
  if (!text.includes('"'))
    return text
      .split(/,| ::: /)
      .map((item) => item.trim())
      .filter((item) => item !== '')
  for (const [, quoted, bare] of text.matchAll(/\s*(?:"((?:[^"]|"")*)"|([^,]*))\s*(?:,|$)/g)) {
    const item = quoted === undefined ? (bare ?? '').trim() : quoted.replaceAll('""', '"').trim()
    if (item !== '') items.push(item)
  }
  return items
}

/** Tags, each once: what is wrong with one is told once for all of them. */
export function readTags(cell: Cell): Read<string[]> {
  const tags = [...new Set(itemsOf(cell))]
  const long = tags.find((tag) => countCharacters(tag) > 80)
  if (long !== undefined) return { problems: ['is too long (maximum is 80 characters)'] }
  if (tags.some((tag) => tag.includes(','))) return { problems: ['may hold no comma'] }
  return tags.every(isStorable) ? { value: tags } : { problems: ['holds a character that text can not have'] }
}

export function readExternalId(cell: Cell): Read<string> {
  const id = textOf(cell).trim()
  if (id.length > 255) return { problems: ['is too long (maximum is 255 characters)'] }
  return isStorable(id) ? { value: id } : { problems: ['holds a character that text can not have'] }
}

export function readIp(cell: Cell): Read<string> {
  const ip = textOf(cell).trim()
  return isIP(ip) === 0 || ip.includes('%') ? { problems: ['is not an IP address'] } : { value: ip }
}

export function readSource(cell: Cell): Read<string> {
  const source = textOf(cell).trim()
  if (source.length > 255) return { problems: ['is too long (maximum is 255 characters)'] }
  return isStorable(source) ? { value: source } : { problems: ['holds a character that text can not have'] }
}
