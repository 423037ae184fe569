import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Command } from 'commander'
import { EXIT } from '../failures.ts'
import { everyCommand, pathOf, programWith } from '../program.ts'
import { ownSurroundings } from '../surroundings.ts'
import { Terminal } from './terminal.ts'

const GUIDE = join(import.meta.dirname, '../../docs/cli.md')
const program = programWith(ownSurroundings(), () => {})
/** What can be run: of those that have others below them, `mcp` alone does something by itself. */
const isRun = (command: Command) => command.commands.length === 0 || command.name() === 'mcp'
const leaves = everyCommand(program).filter(isRun)

/** `rollcall lists add <list> <contacts...>` */
function usageOf(command: Command): string {
  const values = command.registeredArguments.map((argument) => {
    const name = argument.name() + (argument.variadic ? '...' : '')
    return argument.required ? ` <${name}>` : ` [${name}]`
  })
  return `${pathOf(command)}${values.join('')}`
}

test('the guide lists every command, as its help says it', () => {
  const rows = leaves.map((command) => `| \`${usageOf(command)}\` | ${command.description().replaceAll('|', '\\|')} |`)
  const table = ['| command | |', '| --- | --- |', ...rows].join('\n')
  const guide = readFileSync(GUIDE, 'utf8')

  // UPDATE_GUIDE=1 npm test -- cli/test/guide.test.ts
  const current = guide.replace(/\| command \| \|\n(\|.*\n)*/, `${table}\n`)
  if (process.env.UPDATE_GUIDE === '1') writeFileSync(GUIDE, current)

  assert.ok(readFileSync(GUIDE, 'utf8') === current, 'docs/cli.md is not current: set UPDATE_GUIDE=1 and run this test')
})

test('the guide tells each exit code', () => {
  const guide = readFileSync(GUIDE, 'utf8')
  const codes = [...guide.matchAll(/^\| `(\d+)` \|/gm)].map(([, code]) => Number(code))

  assert.deepEqual(codes, Object.values(EXIT))
})

test('the help of every command has an example, whose command and options there are', async (t) => {
  const terminal = new Terminal(t)
  for (const command of leaves) {
    const path = pathOf(command).split(' ').slice(1)
    const { code, out } = await terminal.run([...path, '--help'])
    assert.equal(code, 0)
    const [, ...told] = out.split(/^Examples?:$/m)
    const lines = told.join('').match(/rollcall [^|<>&)\n]*/g) ?? []
    assert.ok(lines.length > 0 || path[0] === 'migrate', `${path.join(' ')} shows no example`)
    for (const line of lines) {
      const words = line.trim().split(/\s+/).slice(1)
      let named: Command = program
      while (words.length > 0) {
        const below = named.commands.find((each) => each.name() === words[0])
        if (!below) break
        named = below
        words.shift()
      }
      assert.ok(isRun(named), `${line} is no whole command`)
      const known = [...named.options, ...program.options].map(({ long }) => long)
      for (const word of words)
        if (/^--[a-z]/.test(word)) assert.ok(known.includes(word), `${line}: there is no ${word}`)
    }
  }
})
