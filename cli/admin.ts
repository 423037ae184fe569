import type { Database } from '@rollcall/server/db/database.ts'
import type { Token } from '@rollcall/server/features/accounts/tokens.ts'
import { SCOPES, type Scope } from '@rollcall/server/http/caller.ts'
import { AppError } from '@rollcall/server/lib/app-error.ts'
import { Refusal } from '@rollcall/server/lib/refusal.ts'
import { Command, Option } from 'commander'
import { expiry, positive } from './options.ts'
import { table } from './table.ts'

/** Does something with the database, as the command of that name. */
type WithDatabase = <T>(command: string, work: (db: Database) => Promise<T>) => Promise<T>

const accounts = () => import('@rollcall/server/features/accounts/accounts.ts')
const tokens = () => import('@rollcall/server/features/accounts/tokens.ts')
const accountOption = () => new Option('--account <id>', 'the account').argParser(positive).default(1)
const JSON_OPTION = ['--json', 'print JSON'] as const

/** `rollcall account …` */
export function accountCommand(withDatabase: WithDatabase): Command {
  const command = new Command('account').description('make and list accounts, whose contacts are kept apart')
  command
    .command('create')
    .description('make an account')
    .argument('<name>', 'what it is called')
    .option(...JSON_OPTION)
    .addHelpText('after', '\nExample:\n  rollcall account create "Second shop" && rollcall token create --account 2\n')
    .action(async (name: string, { json }: { json?: true }) => {
      const { createAccount } = await accounts()
      const { id } = await withDatabase('account create', (db) => createAccount(db, { name }))
      print(json ? toJson({ id, name }) : `Made account ${id}. Next: rollcall token create --account ${id}\n`)
    })
  command
    .command('list')
    .description('list the accounts')
    .option(...JSON_OPTION)
    .action(async ({ json }: { json?: true }) => {
      const { listAccounts } = await accounts()
      const found = await withDatabase('account list', listAccounts)
      const rows = found.map(({ id, name, createdAt }) => [String(id), name, createdAt.toISOString().slice(0, 10)])
      print(
        json
          ? toJson(found.map(({ id, name, createdAt }) => ({ id, name, created_at: createdAt })))
          : table([['ID', 'NAME', 'CREATED'], ...rows]),
      )
    })
  return command
}

/** `rollcall token …` */
export function tokenCommand(withDatabase: WithDatabase): Command {
  const command = new Command('token').description('make, list and end API tokens')
  command
    .command('create')
    .description('make a token and print it: the only time that it is shown')
    .addOption(accountOption())
    .option('--name <name>', 'what it is for', 'command line')
    .addOption(
      new Option('--scope <scope>', 'what it may do; each includes the ones before').choices(SCOPES).default('admin'),
    )
    .option('--expires <when>', 'a date such as 2030-12-31, or days such as 90d; never if left out', expiry)
    .option(...JSON_OPTION)
    .addHelpText('after', '\nExample:\n  TOKEN=$(rollcall token create --name website --scope write --expires 365d)\n')
    .action(async (options: { account: number; name: string; scope: Scope; expires?: Date; json?: true }) => {
      const { createToken } = await tokens()
      const { account, name, scope, expires, json } = options
      const made = await withDatabase('token create', async (db) => {
        await requireAccount(db, account)
        return createToken(db, account, { name, scopes: [scope], expiresAt: expires })
      })
      print(
        json
          ? toJson({
              ...{ id: made.id, token: made.token, account_id: account, name },
              ...{ scopes: [scope], expires_at: expires ?? null },
            })
          : `${made.token}\n`,
      )
    })
  command
    .command('list')
    .description("list an account's tokens, newest first")
    .addOption(accountOption())
    .option(...JSON_OPTION)
    .action(async ({ account, json }: { account: number; json?: true }) => {
      const { listTokens } = await tokens()
      const found = await withDatabase('token list', async (db) => {
        await requireAccount(db, account)
        return listTokens(db, account)
      })
      print(json ? toJson(found.map(shown)) : asTable(found))
    })
  command
    .command('revoke')
    .description('end a token; every process knows within 5 seconds')
    .argument('<id>', 'as token list shows it', positive)
    .addOption(accountOption())
    .action(async (id: number, { account }: { account: number }) => {
      const { revokeToken } = await tokens()
      const revoked = await withDatabase('token revoke', (db) => revokeToken(db, account, id))
      if (!revoked) throw new Refusal(`account ${account} has no token ${id} that still works: see rollcall token list`)
      print(`Token ${id} has ended.\n`)
    })
  return command
}

async function requireAccount(db: Database, id: number): Promise<void> {
  const { findAccount } = await accounts()
  try {
    await findAccount(db, id)
  } catch (error) {
    if (error instanceof AppError && error.code === 'not_found') throw new Refusal(`there is no account ${id}`)
    throw error
  }
}

/** A token as the API shows it: never in clear, of which only the end is kept. */
function shown(token: Token) {
  return {
    id: token.id,
    name: token.name,
    hint: token.hint,
    scopes: token.scopes,
    created_at: token.createdAt,
    expires_at: token.expiresAt,
    last_used_at: token.lastUsedAt,
    revoked_at: token.revokedAt,
  }
}

function asTable(found: readonly Token[]): string {
  const day = (moment: Date | null) => moment?.toISOString().slice(0, 16).replace('T', ' ') ?? '-'
  const rows = found.map((token) => [
    String(token.id),
    token.name,
    `…${token.hint}`,
    token.scopes.join(','),
    day(token.createdAt),
    day(token.lastUsedAt),
    token.revokedAt ? 'revoked' : day(token.expiresAt),
  ])
  return table([['ID', 'NAME', 'TOKEN', 'SCOPES', 'CREATED', 'LAST USED', 'EXPIRES'], ...rows])
}

function print(text: string): void {
  process.stdout.write(text)
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
