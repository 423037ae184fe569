import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

/**
 * What argon2id is told: 19 MiB (in KiB), two passes, one lane, the least that OWASP's Password Storage Cheat Sheet names
 * for it. One hash takes some 40 ms of one core.
 */
export const PASSWORD_COST = { memory: 19_456, passes: 2, parallelism: 1 }

type Cost = typeof PASSWORD_COST

const SALT_BYTES = 16
const HASH_BYTES = 32

const STORED = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,3})\$([\w+/]{22,64})\$([\w+/]{43})$/

const argon2id = promisify(argon2)

/** The hash of a password with a salt of its own, in the form that other programs write too. */
export async function hashPassword(password: string, cost: Cost = PASSWORD_COST): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  const hash = await derive(password, salt, cost)
  return `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${cost.parallelism}$${base64(salt)}$${base64(hash)}`
}

/** Whether it is the password of which this hash was made. Throws when it is no hash of ours. */
export async function isPassword(password: string, stored: string): Promise<boolean> {
  const { cost, salt, hash } = read(stored)
  return timingSafeEqual(await derive(password, salt, cost), hash)
}

/** Whether the hash was made at another cost than today's, and should be made anew once the password is known. */
export function isOutdated(stored: string): boolean {
  const { cost } = read(stored)
  return (Object.keys(PASSWORD_COST) as (keyof Cost)[]).some((key) => cost[key] !== PASSWORD_COST[key])
}

/** NFKC, as keyboards differ in how they write an accent. */
function derive(password: string, salt: Buffer, { memory, passes, parallelism }: Cost): Promise<Buffer> {
  return argon2id('argon2id', {
    message: password.normalize('NFKC'),
    nonce: salt,
    memory,
    passes,
    parallelism,
    tagLength: HASH_BYTES,
  })
}

function read(stored: string): { cost: Cost; salt: Buffer; hash: Buffer } {
  const [, memory, passes, parallelism, salt, hash] = STORED.exec(stored) ?? []
  if (salt === undefined || hash === undefined) throw new Error('not a hash of a password')
  const cost = { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) }
  return { cost, salt: Buffer.from(salt, 'base64'), hash: Buffer.from(hash, 'base64') }
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '')
}
