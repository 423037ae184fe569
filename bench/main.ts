/**
 * `npm run bench -- api|search|segments|import|export|feed|providers|privacy|pages|backup|ui|all`: measures the product on this
 * machine and prints the results as Markdown.
 *
 *   --rounds N       rounds of each side (3)
 *   --seconds N      length of a round (10)
 *   --contacts N     contacts in the large account of all but `api` and `feed` (1000000)
 *   --others N       accounts of 10,000 contacts beside the one that imports, or like the one in `segments --part clock` (1)
 *   --rows N         of the file that is imported in `segments --part import` (1000000)
 *   --events N       events in the account of `feed` (1000000)
 *   --keep DIR       keeps the data of `segments`, `import`, `ui` or `backup` there and uses them again: to load them takes longer
 *                    than to measure
 *   --part NAME      this part of `segments`, `import`, `ui` or `backup` alone; may be given several times
 *   --profile DIR    leaves CPU profiles of the programs there, and loads pg_stat_statements; slows what is measured
 */
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { benchApi } from './api.ts'
import { benchBackup } from './backup.ts'
import { benchExport } from './export.ts'
import { benchFeed } from './feed.ts'
import { benchImport } from './import.ts'
import { benchPages } from './pages.ts'
import { benchPrivacy } from './privacy.ts'
import { benchProviders } from './providers.ts'
import { type Figure, figureTable } from './report.ts'
import { benchSearch } from './search.ts'
import { benchSegments } from './segments.ts'
import { benchUi } from './ui.ts'

interface Options {
  rounds: number
  seconds: number
  contacts: number
  others: number
  rows: number
  events: number
  profileDir: string | undefined
  keepDir: string | undefined
  parts: string[]
}

interface Result {
  machine: string
  figures: Figure[]
}

const BENCHES: Record<string, (options: Options) => Promise<Result>> = {
  api: benchApi,
  search: benchSearch,
  segments: benchSegments,
  import: benchImport,
  export: benchExport,
  feed: benchFeed,
  providers: benchProviders,
  privacy: benchPrivacy,
  pages: benchPages,
  backup: benchBackup,
  ui: benchUi,
}

async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '10' },
      contacts: { type: 'string', default: '1000000' },
      others: { type: 'string', default: '1' },
      rows: { type: 'string', default: '1000000' },
      events: { type: 'string', default: '1000000' },
      profile: { type: 'string' },
      keep: { type: 'string' },
      part: { type: 'string', multiple: true, default: [] },
    },
  })
  const names = positionals.includes('all') ? Object.keys(BENCHES) : positionals
  const unknown = names.filter((name) => !BENCHES[name])
  if (names.length === 0 || unknown.length > 0) {
    throw new Error(`name what to measure: ${[...Object.keys(BENCHES), 'all'].join(', ')}`)
  }
  const options = {
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    contacts: Number(values.contacts),
    others: Number(values.others),
    rows: Number(values.rows),
    events: Number(values.events),
    profileDir: values.profile,
    keepDir: values.keep,
    parts: values.part,
  }
  for (const name of names) {
    const load = loadavg()[0]!.toFixed(1)
    const { machine, figures } = await BENCHES[name]!(options)
    const day = new Date().toISOString().slice(0, 10)
    console.log(`\n## ${name}, ${day}\n\n${machine}\n- Load average before: ${load}.\n\n${figureTable(figures)}`)
  }
}

await main()
