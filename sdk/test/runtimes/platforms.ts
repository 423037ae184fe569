import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createRequire, stripTypeScriptTypes } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { type Browser, chromium as playwright } from 'playwright-core'
import { chromiumPath } from '../../../admin/test/chromium.ts'
import { temporaryHome } from '../../../server/test/app.ts'
import { atEnd } from '../../../server/test/database.ts'
import { freePort } from '../../../server/test/program.ts'
import { listening } from '../live.ts'
import type { Given } from './exercise.ts'

const run = promisify(execFile)
const SDK = join(import.meta.dirname, '../..')
const LIMIT_MS = 240_000

/** Where `npm run test:runtimes` has put what is no dependency of the project; undefined in `npm test`. */
const RUNTIMES = process.env.SDK_RUNTIMES

/** Something that JavaScript runs on: does the exercise there, and answers what it saw. */
export type Platform = (t: TestContext, given: Given) => Promise<unknown>

/** A directory with the SDK in node_modules, as npm would put it there, and the exercise beside. */
export async function consumer(t: TestContext): Promise<string> {
  const home = temporaryHome(t)
  const installed = join(home, 'node_modules/@rollcall/sdk')
  mkdirSync(installed, { recursive: true })
  if (RUNTIMES) cpSync(join(RUNTIMES, 'node_modules/@rollcall/sdk'), installed, { recursive: true })
  else {
    cpSync(join(SDK, 'package.json'), join(installed, 'package.json'))
    compiling ??= run(OWN_TSC, ['--project', join(SDK, 'tsconfig.json'), '--outDir', DIST])
    await compiling
    cpSync(DIST, join(installed, 'dist'), { recursive: true })
  }
  const source = readFileSync(join(import.meta.dirname, 'exercise.ts'), 'utf8')
  writeFileSync(join(home, 'package.json'), '{ "type": "module", "dependencies": { "@rollcall/sdk": "*" } }')
  writeFileSync(join(home, 'exercise.js'), stripTypeScriptTypes(source))
  writeFileSync(
    join(home, 'main.js'),
    `import * as sdk from '@rollcall/sdk'
import { exercise } from './exercise.js'
const { GIVEN } = globalThis.Deno ? Deno.env.toObject() : process.env
console.log(JSON.stringify(await exercise(sdk, JSON.parse(GIVEN))))
`,
  )
  return home
}

/** The SDK as it is published, compiled once for a test file. */
const DIST = mkdtempSync(join(tmpdir(), 'rollcall-sdk-'))
after(() => rmSync(DIST, { recursive: true }))
let compiling: Promise<unknown> | undefined

/** A program that is given a file to run. */
function command(name: string, program: string, args: readonly string[] = []): [string, Platform] {
  return [
    name,
    async (t, given) => {
      const cwd = await consumer(t)
      const env = { PATH: process.env.PATH, HOME: cwd, DENO_DIR: join(cwd, '.deno'), GIVEN: JSON.stringify(given) }
      const { stdout } = await run(program, [...args, 'main.js'], { cwd, env, timeout: LIMIT_MS })
      return JSON.parse(stdout)
    },
  ]
}

/** A page of Chromium, of the service's own origin or of another one, which is served on `port`. */
export function inBrowser(port?: number): Platform {
  return async (t, given) => {
    const home = await consumer(t)
    const fileOf = (url: string) => {
      const path = new URL(url, given.url).pathname.slice(PAGE.length)
      if (path === '') return { type: 'text/html', body: '<!doctype html><title>A program</title>' }
      return { type: 'text/javascript', body: readFileSync(join(home, path), 'utf8') }
    }
    const page = await (await chromium(t)).newPage()
    if (port === undefined)
      // The modules are the test's; all else goes over the network.
      await page.route(`${given.url}${PAGE}**`, async (route) => {
        const { type, body } = fileOf(route.request().url())
        await route.fulfill({ contentType: type, body })
      })
    else
      await listening(t, port, (request, response) => {
        const { type, body } = fileOf(request.url!)
        response.writeHead(200, { 'content-type': type }).end(body)
      })
    await page.goto(`${port === undefined ? given.url : `http://127.0.0.1:${port}`}${PAGE}`)
    return page.evaluate(
      async ([path, input]) => {
        const load = (name: string) => import(path + name)
        const sdk = await load('node_modules/@rollcall/sdk/dist/rollcall.js')
        return (await load('exercise.js')).exercise(sdk, input)
      },
      [PAGE, given] as const,
    )
  }
}

const PAGE = '/exercise/'

async function chromium(t: TestContext): Promise<Browser> {
  const browser = await playwright.launch({
    executablePath: await chromiumPath(),
    // A page that no server has sent counts as one from the internet, which would have to ask before it calls this machine.
    args: ['--no-sandbox', '--disable-gpu', '--disable-features=LocalNetworkAccessChecks'],
  })
  atEnd(t, () => browser.close())
  return browser
}

/** Cloudflare's runtime of workers, which does the exercise for each request. */
const workerd: Platform = async (t, given) => {
  const home = await consumer(t)
  const port = await freePort()
  const dist = join(home, 'node_modules/@rollcall/sdk/dist')
  const modules = readdirSync(dist)
    .filter((name) => name.endsWith('.js'))
    .map((name) => `(name = "sdk/${name}", esModule = embed "node_modules/@rollcall/sdk/dist/${name}")`)
  writeFileSync(
    join(home, 'worker.js'),
    `import * as sdk from './sdk/rollcall.js'
import { exercise } from './exercise.js'
export default { fetch: async (request) => Response.json(await exercise(sdk, await request.json())) }
`,
  )
  writeFileSync(
    join(home, 'config.capnp'),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "internet", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  modules = [
    (name = "worker.js", esModule = embed "worker.js"),
    (name = "exercise.js", esModule = embed "exercise.js"),
    ${modules.join(',\n    ')},
  ],
  compatibilityDate = "2026-01-01",
);
`,
  )
  const binary = createRequire(join(RUNTIMES!, 'package.json')).resolve('workerd/bin/workerd')
  const child = spawn(binary, ['serve', 'config.capnp'], { cwd: home, stdio: ['ignore', 'inherit', 'inherit'] })
  atEnd(t, async () => {
    child.kill()
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  })
  for (let tries = 0; ; tries++) {
    try {
      const answer = await fetch(`http://127.0.0.1:${port}`, { method: 'POST', body: JSON.stringify(given) })
      const text = await answer.text()
      if (!answer.ok) throw new Error(`workerd answered ${answer.status}: ${text}`)
      return JSON.parse(text)
    } catch (error) {
      const isEarly = (error as { cause?: { code?: string } }).cause?.code === 'ECONNREFUSED'
      if (!isEarly || tries === 100) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

/** What Vercel's functions run in, in a context of its own; bundled before, as it knows no modules. */
const edge: Platform = async (t, given) => {
  const home = await consumer(t)
  const require = createRequire(join(RUNTIMES!, 'package.json'))
  const { EdgeVM } = require('@edge-runtime/vm') as { EdgeVM: new () => { evaluate(code: string): unknown } }
  const { build } = require('esbuild') as { build: (options: object) => Promise<{ outputFiles: { text: string }[] }> }
  const { outputFiles } = await build({
    stdin: {
      contents: `import * as sdk from '@rollcall/sdk'
import { exercise } from './exercise.js'
globalThis.done = exercise(sdk, ${JSON.stringify(given)}).then(JSON.stringify)`,
      resolveDir: home,
    },
    bundle: true,
    format: 'iife',
    target: 'es2022',
    write: false,
  })
  const vm = new EdgeVM()
  vm.evaluate(outputFiles[0]!.text)
  return JSON.parse(String(await vm.evaluate('globalThis.done')))
}

/** What there is on any machine of the project. */
export const ALWAYS: readonly [string, Platform][] = [command('this Node', process.execPath)]

/** What `npm run test:runtimes` fetches. */
export const FETCHED: readonly [string, Platform][] =
  RUNTIMES === undefined
    ? []
    : [
        command('Node 18', bin('node')),
        command('Deno', bin('deno'), ['run', '--no-remote', '--allow-net', '--allow-env', '--node-modules-dir=manual']),
        command('Bun', bin('bun'), ['run']),
        ['workerd', workerd],
        ['the edge runtime', edge],
      ]

const STRICT = [
  '--noEmit',
  '--strict',
  '--exactOptionalPropertyTypes',
  '--noUncheckedIndexedAccess',
  '--pretty',
  'false',
]
const FOR_NODE = ['--module', 'nodenext', '--target', 'es2022', '--lib', 'es2022', '--types', 'node']
const FOR_BROWSERS = ['--module', 'esnext', '--moduleResolution', 'bundler', '--target', 'es2022']
const LIBRARIES = ['--lib', 'es2022,dom,dom.iterable,dom.asynciterable']
const OWN_TSC = join(SDK, '../node_modules/.bin/tsc')

/** Compilers that a user may have, by name: the program, and the settings that matter. */
export const COMPILERS: readonly (readonly [string, string, readonly string[]])[] = [
  ['this TypeScript, for browsers', OWN_TSC, [...FOR_BROWSERS, ...LIBRARIES]],
  ...(RUNTIMES === undefined
    ? []
    : ([
        ['TypeScript 5, for Node 18', bin('tsc'), FOR_NODE],
        ['TypeScript 5, for browsers', bin('tsc'), [...FOR_BROWSERS, ...LIBRARIES]],
      ] as const)),
]

const CONSUMER = readFileSync(join(import.meta.dirname, 'consumer.ts'), 'utf8')

/** What a compiler has to say about a program that uses the SDK; nothing where all is right. */
export async function readBy(
  t: TestContext,
  tsc: string,
  options: readonly string[],
  program = CONSUMER,
): Promise<string> {
  const cwd = await consumer(t)
  writeFileSync(join(cwd, 'consumer.ts'), program)
  if (options.includes('node')) symlinkSync(join(RUNTIMES!, 'node_modules/@types'), join(cwd, 'node_modules/@types'))
  const { stdout } = await run(tsc, [...STRICT, ...options, 'consumer.ts'], { cwd }).catch((error) => error)
  return stdout
}

function bin(name: string): string {
  const path = join(RUNTIMES!, 'node_modules/.bin', name)
  if (!existsSync(path)) throw new Error(`${path} is not there`)
  return path
}
