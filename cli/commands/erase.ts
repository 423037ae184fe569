import { Refusal } from '@rollcall/server/lib/refusal.ts'
import { Command } from 'commander'
import { agree } from '../given.ts'
import { type Act, done, examples } from './command.ts'

/** `rollcall erase ADDRESS` */
export function eraseCommand(act: Act): Command {
  return new Command('erase')
    .description('erase all that is held of someone, for good; the address does not come back')
    .argument('<address>', 'address, id or ext:EXTERNAL_ID')
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      `
This is for a person's wish to be forgotten. It can not be reverted, also not from a backup. To remove somebody who may come
back: rollcall contacts delete.
${examples('rollcall erase ada@example.com')}`,
    )
    .action((address: string, { yes }: { yes?: true }) =>
      act(async (context) => {
        if (
          !yes &&
          !(await agree(`Erase all that is held of ${address}? This can not be taken back.`, context.surroundings))
        )
          throw new Refusal('nobody was erased: say --yes')
        const receipt = await context.client.contacts.erase(address)
        await done(context, receipt, `Erased ${address}: the receipt is ${receipt.id}.`)
      }),
    )
}
