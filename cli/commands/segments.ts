import type { Command } from 'commander'
import { readJson } from '../given.ts'
import { number } from '../output.ts'
import { type Act, examples, group } from './command.ts'
import { CONTACT_COLUMNS } from './contacts.ts'

/** `rollcall segments …` */
export function segmentsCommand(act: Act): Command {
  const command = group('segments', 'who meets criteria')
  command
    .command('preview')
    .description('how many meet criteria, and some of them; nothing is kept')
    .argument('<criteria>', 'JSON, a file (@FILE or its name) or stdin (-)')
    .addHelpText(
      'after',
      examples(
        `rollcall segments preview '{"plan":"Pro"}'`,
        'rollcall segments preview criteria.json',
        `echo '{"event":"email_opened","within":"30d"}' | rollcall segments preview -`,
      ),
    )
    .action((criteria: string) =>
      act(async ({ client, out, surroundings, signal }) => {
        const body = { criteria: await readJson(criteria, surroundings, 'criteria'), count: 'exact' as const }
        const found = await client.call('previewCriteria', { body }, { signal })
        if (out.isJson) return out.json(found)
        await out.say(`${number(found.count)} contact${found.count === 1 ? '' : 's'}`)
        if (found.sample.length > 0) await out.say('')
        if (found.sample.length > 0) await out.rows(found.sample, CONTACT_COLUMNS)
      }),
    )
  return command
}
