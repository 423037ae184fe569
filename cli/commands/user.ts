import type { Trx } from '@rollcall/server/db/database.ts'
import type { User } from '@rollcall/server/features/accounts/users.ts'
import { ROLES, type Role } from '@rollcall/server/http/caller.ts'
import { Refusal } from '@rollcall/server/lib/refusal.ts'
import { type Command, Option } from 'commander'
import { positive } from '../options.ts'
import { callerIn, onMachine, withDatabase } from './access.ts'
import { type Act, done, examples, group } from './command.ts'

const users = () => import('@rollcall/server/features/accounts/users.ts')
const links = () => import('@rollcall/server/features/accounts/user-links.ts')
const accountOption = () => new Option('--account <id>', 'the account').argParser(positive).default(1)
const pagesOption = () =>
  new Option('--pages <url>', 'where the pages are reached').env('PUBLIC_URL').default('http://127.0.0.1:8080')

/** Throws a Refusal for an address of which there is no user. */
async function userNamed(trx: Trx, email: string): Promise<User> {
  const { findUserByEmail, userEmail } = await users()
  const user = await findUserByEmail(trx, userEmail(email))
  if (!user) throw new Refusal(`nobody with the address ${email} may sign in: see rollcall user list`)
  return user
}

/** `rollcall user …`: who may sign in to the pages. */
export function userCommand(act: Act): Command {
  const command = group('user', 'let people into the pages, and out of them')
  command
    .command('invite')
    .description('print a link by which someone comes into an account: it works once, for a week')
    .argument('<email>', 'their address')
    .addOption(accountOption())
    .addOption(new Option('--role <role>', 'what they may').choices(ROLES).default('editor'))
    .addOption(pagesOption())
    .addHelpText(
      'after',
      examples('rollcall user invite ann@example.com --role admin --pages https://people.example.com'),
    )
    .action((email: string, { account, role, pages }: { account: number; role: Role; pages: string }) =>
      act(async (context) => {
        const [{ userEmail }, { invite, linkTo }] = [await users(), await links()]
        const { token } = await withDatabase('user invite', (db) =>
          db.transaction((trx) => invite(trx, callerIn(account), { email: userEmail(email), role })),
        )
        const link = linkTo(pages, token)
        await done(context, { email, role, account_id: account, link }, link)
      }),
    )
  command
    .command('list')
    .description('list who may sign in to an account')
    .addOption(accountOption())
    .addHelpText('after', examples('rollcall user list'))
    .action(({ account }: { account: number }) =>
      act(async ({ out }) => {
        const { listMembers } = await users()
        const members = await withDatabase('user list', (db) => listMembers(db, account))
        await out.rows(
          members.map(({ id, email, name, role }) => ({ id, email, name, role })),
          [
            ['ID', ({ id }) => id],
            ['EMAIL', ({ email }) => email],
            ['NAME', ({ name }) => name],
            ['ROLE', ({ role }) => role],
          ],
        )
      }),
    )
  command
    .command('reset-password')
    .description('print a link that sets a new password: it works once, for a day')
    .argument('<email>', 'their address')
    .addOption(pagesOption())
    .addHelpText('after', examples('rollcall user reset-password ann@example.com'))
    .action((email: string, { pages }: { pages: string }) =>
      act(async (context) => {
        const { insertResetLink, linkTo } = await links()
        const token = await withDatabase('user reset-password', (db) =>
          db.transaction(async (trx) => insertResetLink(trx, (await userNamed(trx, email)).id, onMachine)),
        )
        const link = linkTo(pages, token)
        await done(context, { email, link }, link)
      }),
    )
  command
    .command('remove')
    .description('take someone out of an account; their sessions there end at once')
    .argument('<email>', 'their address')
    .addOption(accountOption())
    .addHelpText('after', examples('rollcall user remove ann@example.com --account 2'))
    .action((email: string, { account }: { account: number }) =>
      act(async (context) => {
        const { removeMember } = await users()
        await withDatabase('user remove', (db) =>
          db.transaction(async (trx) => removeMember(trx, callerIn(account), (await userNamed(trx, email)).id)),
        )
        await done(context, { email, account_id: account }, `${email} can no longer enter account ${account}.`)
      }),
    )
  return command
}
