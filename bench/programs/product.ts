/** Rollcall itself, as `rollcall start --role ROLE` runs it. */
import { start } from '../../server/main.ts'
import type { Role } from '../../server/service.ts'

process.exitCode = await start({ role: process.argv[2] as Role })
