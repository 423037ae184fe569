/** `npm run build -w sdk`: `dist/` from `src/`, made anew, with declarations, and checked as it would be published. */
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'

const HERE = import.meta.dirname

function run(command: string, ...args: string[]): void {
  const { status } = spawnSync('npx', ['--no-install', command, ...args], { cwd: HERE, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}

rmSync(`${HERE}/dist`, { recursive: true, force: true })
run('tsc', '--project', 'tsconfig.json')
run('publint', '--strict')
// It is ESM alone, which every platform it is for can load, and Node's `require` from 22 on.
run('attw', '--pack', '.', '--profile', 'esm-only')
