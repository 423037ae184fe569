import { createHash, randomBytes } from 'node:crypto'
import sql from 'sql-template-tag'
import type { Queryable, Trx } from '../../db/database.ts'
import type { Caller, Scope } from '../../http/caller.ts'
import { invalid } from '../../lib/app-error.ts'
import { audit } from './audit.ts'

export interface Token {
  id: number
  accountId: number
  name: string
  hint: string
  scopes: Scope[]
  expiresAt: Date | null
  lastUsedAt: Date | null
  revokedAt: Date | null
  createdAt: Date
}

interface TokenRow {
  id: number
  account_id: number
  name: string
  hint: string
  scopes: Scope[]
  expires_at: Date | null
  last_used_at: Date | null
  revoked_at: Date | null
  created_at: Date
}

const COLUMNS = sql`id, account_id, name, hint, scopes, expires_at, last_used_at, revoked_at, created_at`

function tokenFrom(row: TokenRow): Token {
  return {
    id: row.id,
    accountId: row.account_id,
    name: row.name,
    hint: row.hint,
    scopes: row.scopes,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
    revokedAt: row.revoked_at,
    createdAt: row.created_at,
  }
}

/** What a token can be: one of ours, or one that ROLLCALL_API_TOKEN may set. */
const FORM = /^[\x21-\x7e]{32,255}$/

/** False for what no token can be, and nobody need look up. */
export function isTokenLike(text: string): boolean {
  return FORM.test(text)
}

/** Tokens are 32 random characters, so a plain SHA-256 keeps them: there is nothing to guess that salt would slow. */
export function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

interface NewToken {
  name: string
  scopes: readonly Scope[]
  expiresAt?: Date | undefined
}

/** Makes a token and answers it in clear: the only time it is seen. */
export async function createToken(
  db: Queryable,
  accountId: number,
  given: NewToken,
): Promise<Token & { token: string }> {
  const token = `rc_${randomBytes(24).toString('base64url')}`
  const [row] = await insertToken(db, accountId, token, given)
  return { ...tokenFrom(row!), token }
}

/** The same, by hand: noted in the audit log. */
export async function issueToken(trx: Trx, caller: Caller, given: NewToken): Promise<Token & { token: string }> {
  const made = await createToken(trx, caller.accountId, given)
  noteMade(trx, caller, made)
  return made
}

function noteMade(trx: Trx, caller: Caller, { id, scopes }: Pick<Token, 'id' | 'scopes'>): void {
  audit(trx, caller, 'token_created', { token_id: id, scopes })
}

/** Sees to it that exactly this token opens the account, as an automated set-up asks for. Safe to run at every start. */
export async function ensureToken(trx: Trx, caller: Caller, token: string): Promise<void> {
  const { accountId } = caller
  const [made] = await insertToken(trx, accountId, token, { name: 'ROLLCALL_API_TOKEN', scopes: ['admin'] })
  if (made) return noteMade(trx, caller, made)
  const [row] = await trx.query<TokenRow>(sql`select ${COLUMNS} from api_tokens where hash = ${hashToken(token)}`)
  if (row?.account_id !== accountId || row.revoked_at) {
    throw new Error('ROLLCALL_API_TOKEN is a token that was revoked or belongs to another account: choose another one')
  }
}

function insertToken(db: Queryable, accountId: number, token: string, given: NewToken): Promise<TokenRow[]> {
  if (given.name.trim() === '' || given.name.length > 80) throw invalid({ name: ['must have 1 to 80 characters'] })
  return db.query<TokenRow>(sql`
    insert into api_tokens (account_id, name, hash, hint, scopes, expires_at)
    values (${accountId}, ${given.name.trim()}, ${hashToken(token)}, ${token.slice(-4)}, ${given.scopes}, ${given.expiresAt ?? null})
    on conflict (hash) do nothing
    returning ${COLUMNS}`)
}

/** All tokens of an account, newest first, the revoked ones too. */
export async function listTokens(db: Queryable, accountId: number): Promise<Token[]> {
  const rows = await db.query<TokenRow>(sql`
    select ${COLUMNS} from api_tokens where account_id = ${accountId} order by id desc`)
  return rows.map(tokenFrom)
}

/** Ends a token, on every process within the 5 s that tokens are cached. False when the account has no such live token. */
export async function revokeToken(trx: Trx, caller: Caller, id: number): Promise<boolean> {
  const rows = await trx.query(sql`
    update api_tokens set revoked_at = statement_timestamp()
    where account_id = ${caller.accountId} and id = ${id} and revoked_at is null
    returning id`)
  if (rows.length === 0) return false
  audit(trx, caller, 'token_revoked', { token_id: id })
  return true
}

/** The token with this hash, if it opens anything now. */
export async function findLiveToken(db: Queryable, hash: Buffer): Promise<Token | undefined> {
  const [row] = await db.query<TokenRow>(sql`
    select ${COLUMNS} from api_tokens
    where hash = ${hash} and revoked_at is null and (expires_at is null or expires_at > now())`)
  return row && tokenFrom(row)
}

/** Notes that a token is in use, at most once a minute. */
export async function touchToken(db: Queryable, id: number): Promise<void> {
  await db.query(sql`
    update api_tokens set last_used_at = statement_timestamp()
    where id = ${id} and (last_used_at is null or last_used_at < now() - interval '1 minute')`)
}
