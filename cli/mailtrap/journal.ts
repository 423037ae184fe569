import { randomUUID } from 'node:crypto'
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { Refusal } from '@rollcall/server/lib/refusal.ts'

/** One file of people on its way: how far it is, and what became of it. */
export interface Step {
  exportId?: number
  importId?: number
  done?: { rows: number; created: number; updated: number; unchanged: number; rejected: number; other: number }
}

/** How far a move is: kept in a file after each step, so that a second run goes on where the first was cut off. */
export interface Journal {
  version: 1
  from: string
  to: string
  lists: { name: string; from: number; to: number; made: boolean }[]
  fields: { name: string; from: string; to: string; made: boolean }[]
  /** Columns of the exports that nothing was known about. */
  leftOut: string[]
  steps: Record<string, Step>
}

/** The journal in a file, or a new one. Throws a Refusal for a file that tells of another move. */
export function readJournal(path: string, from: string, to: string): Journal {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return { version: 1, from, to, lists: [], fields: [], leftOut: [], steps: {} }
  }
  const journal = parsed(text)
  if (!journal) throw new Refusal(`${path} is no journal of a move: name another file with --state`)
  if (journal.from !== from || journal.to !== to)
    throw new Refusal(`${path} tells of a move from ${journal.from} to ${journal.to}: name another file with --state`)
  return journal
}

function parsed(text: string): Journal | undefined {
  try {
    const journal = JSON.parse(text) as Journal
    return journal.version === 1 && typeof journal.steps === 'object' ? journal : undefined
  } catch {
    return undefined
  }
}

/** Writes the file whole: one that is cut off in between is the one of before. */
export function writeJournal(path: string, journal: Journal): void {
  const beside = `${path}.${randomUUID()}`
  try {
    writeFileSync(beside, `${JSON.stringify(journal, null, 2)}\n`, { mode: 0o600, flag: 'wx' })
    renameSync(beside, path)
  } catch (error) {
    rmSync(beside, { force: true })
    throw error
  }
}
