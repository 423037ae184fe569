import { existsSync, mkdirSync } from 'node:fs'
import { userInfo } from 'node:os'
import { dirname } from 'node:path'
import { Refusal } from '../lib/refusal.ts'

/**
 * Makes a directory and those above it that are missing. Unlike Node's own way of doing so, it fails with the true
 * reason on a read-only file system, of which that says ENOENT.
 */
export function makeDirectory(path: string, mode: number): void {
  if (existsSync(path)) return
  makeDirectory(dirname(path), mode)
  try {
    mkdirSync(path, mode)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error // another process was quicker
  }
}

/** Turns a failure to write into one that says what is wrong with the disk and what to do; any other stays as it is. */
export function diskFailure(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || error instanceof Refusal) return error
  const reason = diskReason(`${(error as NodeJS.ErrnoException).code ?? ''} ${error.message}`, path)
  return reason === undefined ? error : new Refusal(reason, { cause: error })
}

/** The same for what a program of PostgreSQL wrote to its stderr. */
export function diskReason(text: string, path: string): string | undefined {
  if (/ENOSPC|EDQUOT|No space left on device|Disk quota exceeded/.test(text)) {
    return `the disk that holds ${path} is full: free some space and start again`
  }
  if (/EROFS|Read-only file system/.test(text)) {
    return `${path} is on a read-only file system: make it writable, or set ROLLCALL_HOME to a directory that is`
  }
  if (/EACCES|EPERM|Permission denied/i.test(text)) {
    return `user ${userName()} may not use ${path}: start as the user that owns it, or set ROLLCALL_HOME to another directory`
  }
  if (/ENOTDIR|EEXIST/.test(text))
    return `${path} can't be a directory, as a file stands in the way: move it, or set ROLLCALL_HOME`
  return undefined
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.()) // a container may run us as a number that no name belongs to
  }
}
