/** Rollcall itself, as `rollcall start --role ROLE` runs it: with its modules compiled before. */
import module from 'node:module'
import { fileURLToPath } from 'node:url'
import type { Role } from '../../server/service.ts'

module.enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/rollcall', import.meta.url)))
const { start } = await import('../../server/main.ts')

process.exitCode = await start({ role: process.argv[2] as Role })
