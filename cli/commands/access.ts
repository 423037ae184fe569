import type { Database } from '@rollcall/server/db/database.ts'
import type { Token } from '@rollcall/server/features/accounts/tokens.ts'
import { SCOPES, type Scope } from '@rollcall/server/http/caller.ts'
import { AppError } from '@rollcall/server/lib/app-error.ts'
import { Refusal } from '@rollcall/server/lib/refusal.ts'
import { type Command, Option } from 'commander'
import { expiry, positive } from '../options.ts'
import { type Act, done, examples, group } from './command.ts'

/** Does something with the database, as the command of that name. */
export async function withDatabase<T>(command: string, work: (db: Database) => Promise<T>): Promise<T> {
  const server = await import('@rollcall/server/main.ts')
  return server.withDatabase(command, work)
}

/** What is done on the machine itself is done by nobody who has signed in. */
export const onMachine = { actor: 'command line', ip: null }
export const callerIn = (accountId: number) => ({ accountId, ...onMachine })

const accounts = () => import('@rollcall/server/features/accounts/accounts.ts')
const tokens = () => import('@rollcall/server/features/accounts/tokens.ts')
const accountOption = () => new Option('--account <id>', 'the account').argParser(positive).default(1)

/** `rollcall account …` */
export function accountCommand(act: Act): Command {
  const command = group('account', 'make and list accounts, whose contacts are kept apart')
  command
    .command('create')
    .description('make an account')
    .argument('<name>', 'what it is called')
    .addHelpText('after', examples('rollcall account create "Second shop" && rollcall token create --account 2'))
    .action((name: string) =>
      act(async (context) => {
        const { createAccount } = await accounts()
        const { id } = await withDatabase('account create', (db) => createAccount(db, { name }))
        await done(context, { id, name }, `Made account ${id}. Next: rollcall token create --account ${id}`)
      }),
    )
  command
    .command('list')
    .description('list the accounts')
    .addHelpText('after', examples('rollcall account list'))
    .action(() =>
      act(async ({ out }) => {
        const { listAccounts } = await accounts()
        const found = await withDatabase('account list', listAccounts)
        await out.rows(
          found.map(({ id, name, createdAt }) => ({ id, name, created_at: createdAt })),
          [
            ['ID', ({ id }) => id],
            ['NAME', ({ name }) => name],
            ['CREATED', ({ created_at }) => created_at.toISOString().slice(0, 10)],
          ],
        )
      }),
    )
  return command
}

/** `rollcall token …` */
export function tokenCommand(act: Act): Command {
  const command = group('token', 'make, list and end API tokens')
  command
    .command('create')
    .description('make a token and print it: the only time that it is shown')
    .addOption(accountOption())
    .option('--name <name>', 'what it is for', 'command line')
    .addOption(
      new Option('--scope <scope>', 'what it may do; each includes the ones before').choices(SCOPES).default('admin'),
    )
    .option('--expires <when>', 'a date such as 2030-12-31, or days such as 90d; never if left out', expiry)
    .addHelpText('after', examples('TOKEN=$(rollcall token create --name website --scope write --expires 365d)'))
    .action((options: { account: number; name: string; scope: Scope; expires?: Date }) =>
      act(async (context) => {
        const { issueToken } = await tokens()
        const { account, name, scope, expires } = options
        const made = await withDatabase('token create', async (db) => {
          await requireAccount(db, account)
          const given = { name, scopes: [scope], expiresAt: expires }
          return db.transaction((trx) => issueToken(trx, callerIn(account), given))
        })
        const told = { ...made, account_id: account, name, scopes: [scope], expires_at: expires ?? null }
        await done(context, told, made.token)
      }),
    )
  command
    .command('list')
    .description("list an account's tokens, newest first")
    .addOption(accountOption())
    .addHelpText('after', examples('rollcall token list --json'))
    .action(({ account }: { account: number }) =>
      act(async ({ out }) => {
        const { listTokens } = await tokens()
        const found = await withDatabase('token list', async (db) => {
          await requireAccount(db, account)
          return listTokens(db, account)
        })
        await out.rows(found.map(shown), [
          ['ID', ({ id }) => id],
          ['NAME', ({ name }) => name],
          ['TOKEN', ({ hint }) => `…${hint}`],
          ['SCOPES', ({ scopes }) => scopes.join(',')],
          ['CREATED', ({ created_at }) => minute(created_at)],
          ['LAST USED', ({ last_used_at }) => minute(last_used_at)],
          ['EXPIRES', ({ revoked_at, expires_at }) => (revoked_at ? 'revoked' : minute(expires_at))],
        ])
      }),
    )
  command
    .command('revoke')
    .description('end a token; every process knows within 5 seconds')
    .argument('<id>', 'as token list shows it', positive)
    .addOption(accountOption())
    .addHelpText('after', examples('rollcall token revoke 3'))
    .action((id: number, { account }: { account: number }) =>
      act(async (context) => {
        const { revokeToken } = await tokens()
        const revoked = await withDatabase('token revoke', (db) =>
          db.transaction((trx) => revokeToken(trx, callerIn(account), id)),
        )
        if (!revoked)
          throw new Refusal(`account ${account} has no token ${id} that still works: see rollcall token list`)
        await done(context, { revoked: id }, `Token ${id} has ended.`)
      }),
    )
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

function minute(moment: Date | null): string | undefined {
  return moment?.toISOString().slice(0, 16).replace('T', ' ')
}
