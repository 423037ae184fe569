#!/usr/bin/env node
// Plain JavaScript that any Node since 18 can read: on one older than 24 it hands over to the Node 24 that npm installed.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import module, { createRequire } from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const OLDEST = 24

if (Number(process.versions.node.split('.')[0]) >= OLDEST) {
  // Stripping types and compiling takes half of a start; where the checkout can't be written to, it just does so again.
  module.enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/rollcall', import.meta.url)))
  const { run } = await import('./program.ts')
  await run(process.argv)
} else {
  handOver()
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
