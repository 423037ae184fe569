/**
 * `npm run build -w admin`, and part of `npm install`: the pages, with a .br and a .gz beside each file that gets smaller by
 * it. Skipped while nothing it is made from has changed, so that a second install costs nothing.
 */
import { createHash } from 'node:crypto'
import { existsSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { build } from 'vite'

const HERE = import.meta.dirname
const DIST = join(HERE, 'dist')
const MARK = join(DIST, '.made-from')
const SOURCES = [
  'index.html',
  'vite.config.ts',
  'build.ts',
  'package.json',
  'src/**/*',
  'public/*',
  '../sdk/src/*.ts',
  '../package-lock.json',
]
const COMPRESSIBLE = /\.(js|css|html|svg)$/

/** What the pages are made from, in one number. */
function fingerprint(): string {
  const hash = createHash('sha256')
  const files = globSync(SOURCES, { cwd: HERE, withFileTypes: true }).filter((entry) => entry.isFile())
  for (const path of files.map((entry) => join(entry.parentPath, entry.name)).sort())
    hash.update(path.slice(HERE.length)).update('\0').update(readFileSync(path)).update('\0')
  return hash.digest('hex')
}

async function compress(path: string): Promise<void> {
  const raw = readFileSync(path)
  const [br, gz] = await Promise.all([
    promisify(brotliCompress)(raw, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: raw.length },
    }),
    promisify(gzip)(raw, { level: 9 }),
  ])
  if (br.length < raw.length) writeFileSync(`${path}.br`, br)
  if (gz.length < raw.length) writeFileSync(`${path}.gz`, gz)
}

const wanted = fingerprint()
if (!existsSync(MARK) || readFileSync(MARK, 'utf8') !== wanted) {
  rmSync(DIST, { recursive: true, force: true })
  await build({ configFile: join(HERE, 'vite.config.ts'), logLevel: 'warn' })
  const files = globSync('**/*', { cwd: DIST }).filter((path) => COMPRESSIBLE.test(path))
  await Promise.all(files.map((path) => compress(join(DIST, path))))
  writeFileSync(MARK, wanted)
}
