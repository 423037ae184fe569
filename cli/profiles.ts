import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Refusal } from '@rollcall/server/lib/refusal.ts'
import type { Surroundings } from './surroundings.ts'

/** A service and the token for it. */
export interface Profile {
  url: string
  token: string
}

interface Config {
  /** The profile that counts when none is named. */
  current?: string
  profiles: Record<string, Profile>
}

export const FIRST_PROFILE = 'default'

/** Where a service is when only a token is given: as `rollcall start` listens. */
export const LOCAL_URL = 'http://127.0.0.1:8080'

/** `~/.config/rollcall/config.json`, or where XDG_CONFIG_HOME or ROLLCALL_CONFIG say. */
export function configPath({ env, home }: Pick<Surroundings, 'env' | 'home'>): string {
  return env.ROLLCALL_CONFIG || join(env.XDG_CONFIG_HOME || join(home, '.config'), 'rollcall', 'config.json')
}

/** The profiles that were kept; none where there is no file. Throws a Refusal for one that can't be read. */
export function readConfig(path: string): Config {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { profiles: {} }
    throw new Refusal(`${path} can't be read: ${(error as Error).message}`)
  }
  try {
    const { current, profiles } = JSON.parse(text) as Partial<Config>
    const entries = Object.entries(profiles ?? {}).filter(
      ([, kept]) => typeof kept?.url === 'string' && typeof kept.token === 'string',
    )
    return { ...(typeof current === 'string' ? { current } : {}), profiles: Object.fromEntries(entries) }
  } catch {
    throw new Refusal(`${path} is not JSON: mend it, or remove it and log in again`)
  }
}

/** Writes the file whole, readable by its owner alone. */
export function writeConfig(path: string, config: Config): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const beside = `${path}.${randomUUID()}`
  try {
    writeFileSync(beside, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600, flag: 'wx' })
    renameSync(beside, path)
  } catch (error) {
    rmSync(beside, { force: true })
    throw new Refusal(`${path} can't be written: ${(error as Error).message}`)
  }
}

/**
 * The service that a command is for: the profile that was named, else the environment, else the profile last logged in.
 * Throws a Refusal that says how to name one.
 */
export function chooseService(
  surroundings: Surroundings,
  named: string | undefined,
  warn: (text: string) => void,
): Profile {
  const { env } = surroundings
  const path = configPath(surroundings)
  const wanted = named ?? (env.ROLLCALL_PROFILE || undefined)
  if (wanted === undefined && env.ROLLCALL_TOKEN)
    return { url: env.ROLLCALL_URL || LOCAL_URL, token: env.ROLLCALL_TOKEN }
  const { current, profiles } = readConfig(path)
  const name = wanted ?? current ?? FIRST_PROFILE
  const found = Object.hasOwn(profiles, name) ? profiles[name] : undefined
  if (found) {
    if ((statSync(path).mode & 0o077) !== 0)
      warn(`rollcall: others can read the tokens in ${path}: run chmod 600 on it`)
    return wanted === undefined && env.ROLLCALL_URL
      ? { ...found, url: sameService(env.ROLLCALL_URL, found.url) }
      : found
  }
  if (wanted !== undefined) {
    const names = Object.keys(profiles)
    throw new Refusal(
      `there is no profile ${wanted}: ${names.length > 0 ? `there are ${names.join(', ')}` : 'run rollcall login first'}`,
    )
  }
  throw new Refusal('no service is named: run rollcall login, or set ROLLCALL_URL and ROLLCALL_TOKEN')
}

/** A token goes to the service that it was kept for and to no other. */
function sameService(given: string, kept: string): string {
  const plain = (url: string) => url.replace(/\/+$/, '')
  if (plain(given) === plain(kept)) return given
  throw new Refusal(
    `ROLLCALL_URL names another service than the profile: set ROLLCALL_TOKEN as well, or unset ROLLCALL_URL`,
  )
}
