import type { Database } from '@rollcall/server/db/database.ts'
import { ROLES, type Role } from '@rollcall/server/http/caller.ts'
import { Refusal } from '@rollcall/server/lib/refusal.ts'
import { Command, Option } from 'commander'
import { positive } from './options.ts'
import { table } from './table.ts'

type WithDatabase = <T>(command: string, work: (db: Database) => Promise<T>) => Promise<T>

const users = () => import('@rollcall/server/features/accounts/users.ts')
const links = () => import('@rollcall/server/features/accounts/user-links.ts')
const accountOption = () => new Option('--account <id>', 'the account').argParser(positive).default(1)
const urlOption = () =>
  new Option('--url <url>', 'where the pages are reached').env('PUBLIC_URL').default('http://127.0.0.1:3000')
const JSON_OPTION = ['--json', 'print JSON'] as const

/** What is done on the machine itself is done by nobody who has signed in. */
const caller = (accountId: number) => ({ accountId, actor: 'command line', ip: null })

/** `rollcall user …`: who may sign in to the pages. */
export function userCommand(withDatabase: WithDatabase): Command {
  const command = new Command('user').description('let people into the pages, and out of them')
  command
    .command('invite')
    .description('print a link by which someone comes into an account: it works once, for a week')
    .argument('<email>', 'their address')
    .addOption(accountOption())
    .addOption(new Option('--role <role>', 'what they may').choices(ROLES).default('editor'))
    .addOption(urlOption())
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      '\nExample:\n  rollcall user invite ann@example.com --role admin --url https://people.example.com\n',
    )
    .action(async (email: string, options: { account: number; role: Role; url: string; json?: true }) => {
      const [{ userEmail }, { invite, linkTo }] = [await users(), await links()]
      const { account, role, url, json } = options
      const { token } = await withDatabase('user invite', (db) =>
        db.transaction((trx) => invite(trx, caller(account), { email: userEmail(email), role })),
      )
      const link = linkTo(url, token)
      print(json ? toJson({ email, role, account_id: account, link }) : `${link}\n`)
    })
  command
    .command('list')
    .description('list who may sign in to an account')
    .addOption(accountOption())
    .option(...JSON_OPTION)
    .action(async ({ account, json }: { account: number; json?: true }) => {
      const { listMembers } = await users()
      const members = await withDatabase('user list', (db) => listMembers(db, account))
      const rows = members.map(({ id, email, name, role }) => [String(id), email, name, role])
      print(
        json
          ? toJson(members.map(({ id, email, name, role }) => ({ id, email, name, role })))
          : table([['ID', 'EMAIL', 'NAME', 'ROLE'], ...rows]),
      )
    })
  command
    .command('reset-password')
    .description('print a link that sets a new password: it works once, for a day')
    .argument('<email>', 'their address')
    .addOption(urlOption())
    .action(async (email: string, { url }: { url: string }) => {
      const [{ findUserByEmail, userEmail }, { insertResetLink, linkTo }] = [await users(), await links()]
      const token = await withDatabase('user reset-password', (db) =>
        db.transaction(async (trx) => {
          const user = await findUserByEmail(trx, userEmail(email))
          if (!user) throw new Refusal(`nobody with the address ${email} may sign in: see rollcall user list`)
          return insertResetLink(trx, user.id, 'command line')
        }),
      )
      print(`${linkTo(url, token)}\n`)
    })
  command
    .command('remove')
    .description('take someone out of an account; their sessions there end at once')
    .argument('<email>', 'their address')
    .addOption(accountOption())
    .action(async (email: string, { account }: { account: number }) => {
      const { findUserByEmail, removeMember, userEmail } = await users()
      await withDatabase('user remove', (db) =>
        db.transaction(async (trx) => {
          const user = await findUserByEmail(trx, userEmail(email))
          if (!user) throw new Refusal(`nobody with the address ${email} may sign in: see rollcall user list`)
          await removeMember(trx, caller(account), user.id)
        }),
      )
      print(`${email} can no longer enter account ${account}.\n`)
    })
  return command
}

const print = (text: string) => process.stdout.write(text)
const toJson = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`
