import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { completionFor } from '../commands/completion.ts'
import { everyCommand, programWith } from '../program.ts'
import { ownSurroundings } from '../surroundings.ts'

const program = programWith(ownSurroundings(), () => {})

type Shell = Parameters<typeof completionFor>[0]

/** A line as it is typed, and what is offered behind it, beside files where those are. */
const CASES: readonly [line: string, words: readonly string[], files?: 'files'][] = [
  ['rollcall cont', ['contacts']],
  ['rollcall contacts ti', ['timeline']],
  ['rollcall lists ', ['add', 'create', 'delete', 'get', 'list', 'members', 'remove', 'update', ...globals()]],
  ['rollcall --profile lists webhooks redel', ['redeliver']],
  ['rollcall import --dr', ['--dry-run']],
  ['rollcall completion ', ['bash', 'fish', 'zsh', ...globals()]],
  ['rollcall changes get ', globals()],
  ['rollcall import peo', [], 'files'],
  ['rollcall import --list ', [], 'files'],
  ['rollcall import --format ', ['csv', 'json', 'ndjson', 'xlsx']],
  ['rollcall export --format ', ['csv', 'csv.gz', 'ndjson', 'xlsx']],
]

function globals(): string[] {
  return ['--help', '--json', '--profile']
}

/** Asks a shell of this machine what it offers, in a directory with the one file `people.csv`. */
const ASK: Record<Shell, (home: string, line: string) => [program: string, args: string[]]> = {
  bash: (home, line) => [
    'bash',
    [
      '-c',
      `source ${home}/script; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _rollcall; printf '%s\\n' "\${COMPREPLY[@]}"`,
      '-',
      ...line.split(' '),
    ],
  ],
  zsh: (home, line) => ['zsh', ['-f', join(import.meta.dirname, 'zsh-completions.zsh'), `${home}/functions`, line]],
  fish: (home, line) => ['fish', ['--no-config', '-c', `source ${home}/script; complete -C '${line}'`]],
}

for (const shell of ['bash', 'zsh', 'fish'] as const)
  test(`${shell} completes commands, options, their values and files`, (t) => {
    const isThere = spawnSync(shell, ['--version']).status === 0
    if (!isThere) return t.skip(`there is no ${shell} on this machine`)
    const home = homeWith(t, completionFor(shell, program))
    for (const [line, words, files] of CASES) {
      const [command, args] = ASK[shell](home, line)
      const env = { PATH: process.env.PATH, HOME: home, LC_ALL: 'C.UTF-8', TERM: 'xterm' }
      const { stdout, stderr } = spawnSync(command, args, {
        cwd: `${home}/work`,
        env,
        encoding: 'utf8',
        timeout: 60_000,
      })
      const offered = stdout.split('\n').flatMap((row) => row.split('\t')[0] || [])
      assert.deepEqual(offered.sort(), [...words, ...(files ? ['people.csv'] : [])].sort(), `${line}: ${stderr}`)
    }
  })

test('the script of each shell has every command', () => {
  for (const shell of ['bash', 'zsh', 'fish'] as const) {
    const script = completionFor(shell, program)
    for (const command of everyCommand(program))
      assert.ok(script.includes(command.name()), `${shell}: ${command.name()}`)
  }
})

function homeWith(t: TestContext, script: string): string {
  const home = mkdtempSync(join(tmpdir(), 'rollcall-completion-'))
  t.after(() => rmSync(home, { recursive: true, force: true }))
  for (const directory of ['work', 'functions']) mkdirSync(join(home, directory))
  for (const path of ['script', 'functions/_rollcall']) writeFileSync(join(home, path), script)
  writeFileSync(join(home, 'work/people.csv'), '')
  return home
}
