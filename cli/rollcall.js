#!/usr/bin/env node
// Plain JavaScript that any Node since 18 can read: on one older than 24 it hands over to the Node 24 that npm installed.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import module, { createRequire } from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const OLDEST = 24

/**
 * How much of what is short-lived a worker gathers before it clears it away: half of the usual. While it writes a sheet or a
 * gzip it then needs 175 MiB in place of 270; less makes it keep more of it for long. Requests are left the usual.
 */
const WORKER_FLAG = '--max-semi-space-size=8'

if (Number(process.versions.node.split('.')[0]) >= OLDEST) {
  if (isWorker(process.argv.slice(2)) && !hasFlag()) beginAnew()
  // Stripping types and compiling takes half of a start; where the checkout can't be written to, it just does so again.
  module.enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/rollcall', import.meta.url)))
  const { run } = await import('./program.ts')
  await run(process.argv)
} else {
  handOver()
}

function isWorker([command, ...options]) {
  const at = options.indexOf('--role')
  return command === 'start' && (options[at + 1] === 'worker' || options.includes('--role=worker'))
}

/** Also one that whoever starts us has chosen. */
function hasFlag() {
  return [...process.execArgv, process.env.NODE_OPTIONS ?? ''].some((text) => text.includes('--max-semi-space-size'))
}

/** As the same process, so that signals find it; not where there is none of that, or a channel that would be lost. */
function beginAnew() {
  if (process.platform === 'win32' || process.connected || process.execve === undefined) return
  const node = [process.execPath, ...process.execArgv, WORKER_FLAG]
  process.execve(process.execPath, [...node, ...process.argv.slice(1)], process.env)
}

function handOver() {
  const node = installedNode()
  if (node === undefined) {
    process.stderr.write(
      `rollcall: Node ${OLDEST} or newer is needed, and the one that comes with npm install is not there: run "npm install" again\n`,
    )
    process.exit(1)
  }
  // The channel tells the other process when this one is gone, whatever ended it.
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  })
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    process.stderr.write(`rollcall: ${node} does not run: ${error.message}\n`)
    process.exit(1)
  })
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]))
}

function installedNode() {
  try {
    const path = join(dirname(createRequire(import.meta.url).resolve('node/package.json')), 'bin', 'node')
    return existsSync(path) ? path : undefined
  } catch {
    return undefined
  }
}
