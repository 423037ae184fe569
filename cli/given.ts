import { createReadStream, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { Refusal } from '@rollcall/server/lib/refusal.ts'
import type { Surroundings } from './surroundings.ts'

/** JSON from the command line itself, from `@FILE` or a file of that name, or from stdin (`-`). Throws a Refusal for what is none. */
export async function readJson(given: string, { stdin }: Pick<Surroundings, 'stdin'>, what: string): Promise<unknown> {
  const isInline = /^\s*[[{"]/.test(given)
  const source = isInline ? given : given === '-' ? await text(stdin) : await readFile(given.replace(/^@/, ''), 'utf8')
  try {
    return JSON.parse(source)
  } catch (error) {
    const place = isInline ? '' : given === '-' ? ' on stdin' : ` in ${given.replace(/^@/, '')}`
    throw new Refusal(`the ${what}${place} is not JSON: ${(error as Error).message}`)
  }
}

/** Text from `@FILE` or stdin (`-`), else as it stands. */
export async function readText(given: string, { stdin }: Pick<Surroundings, 'stdin'>): Promise<string> {
  if (given === '-') return text(stdin)
  return given.startsWith('@') ? readFile(given.slice(1), 'utf8') : given
}

/** A file that is read as it is sent. */
export interface GivenFile {
  name: string
  /** Bytes; undefined for stdin. */
  size: number | undefined
  stream: Readable
}

/** Opens a file, or stdin for `-`. Throws what the file system says, before anything was sent. */
export function openFile(path: string, { stdin }: Pick<Surroundings, 'stdin'>): GivenFile {
  if (path === '-') {
    if (stdin.isTTY) throw new Refusal('nothing comes in on stdin: give a file, or send one with < or |')
    return { name: 'stdin', size: undefined, stream: stdin }
  }
  const found = statSync(path)
  if (found.isDirectory()) throw new Refusal(`${path} is a directory, and a file is needed`)
  return { name: basename(path), size: found.isFile() ? found.size : undefined, stream: createReadStream(path) }
}

/** `name=value` pairs, each given once: split at the last sign that can be one, as names hold `=` more often than targets. */
export function pairsOf(given: readonly string[], option: string): Record<string, string> {
  const pairs: Record<string, string> = Object.create(null)
  for (const pair of given) {
    const at = pair.lastIndexOf('=')
    if (at < 1)
      throw new Refusal(`${option} takes NAME=VALUE, such as ${option} "Email Address=email", and not ${pair}`)
    pairs[pair.slice(0, at).trim()] = pair.slice(at + 1).trim()
  }
  return pairs
}

/** `name=value`, where the value may hold more of the same sign. */
export function settingsOf(given: readonly string[], option: string): Record<string, string> {
  const pairs: Record<string, string> = Object.create(null)
  for (const pair of given) {
    const at = pair.indexOf('=')
    if (at < 1) throw new Refusal(`${option} takes NAME=VALUE, such as ${option} company=Acme, and not ${pair}`)
    pairs[pair.slice(0, at).trim()] = pair.slice(at + 1)
  }
  return pairs
}

/** Asks a yes-or-no question on the terminal; false where nobody can answer. */
export async function agree(question: string, surroundings: Surroundings): Promise<boolean> {
  const { stdin, stderr } = surroundings
  if (!stdin.isTTY) return false
  stderr.write(`${question} [y/N] `)
  return /^y(es)?$/i.test((await lineOf(stdin)).trim())
}

/** A secret typed on the terminal, which does not show it. */
export async function ask(question: string, { stdin, stderr }: Surroundings): Promise<string> {
  stderr.write(`${question} `)
  stdin.setRawMode?.(true)
  try {
    return (await lineOf(stdin)).trim()
  } finally {
    stdin.setRawMode?.(false)
    stderr.write('\n')
  }
}

const CTRL_C = '\u0003'
const ERASE = ['\u007f', '\b']

/** What is typed up to the end of the line; in raw mode nobody else minds Ctrl-C and the key that erases. */
async function lineOf(stdin: Surroundings['stdin']): Promise<string> {
  let line = ''
  stdin.setEncoding('utf8')
  try {
    for await (const chunk of stdin.iterator({ destroyOnReturn: false })) {
      for (const sign of String(chunk)) {
        if (sign === '\n' || sign === '\r') return line
        if (sign === CTRL_C) throw new Refusal('interrupted')
        if (ERASE.includes(sign)) line = line.slice(0, -1)
        else line += sign
      }
    }
    return line
  } finally {
    stdin.pause()
  }
}
