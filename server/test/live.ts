import type { TestContext } from 'node:test'
import { pino } from 'pino'
import { Queue } from '../jobs/queue.ts'
import { startWorker } from '../worker.ts'
import { type TestApp, testApp } from './app.ts'
import { atEnd } from './database.ts'
import { keyring } from './jobs.ts'

/** The API on a port of this machine with a worker beside it, as a user's program meets it. */
export async function live(
  t: TestContext,
  settings: Record<string, string> = {},
): Promise<TestApp & { origin: string }> {
  const made = await testApp(t, settings)
  const { db, files, filesAt, config } = made
  const queue = new Queue(db, { role: 'worker', onError: () => {} })
  const worker = await startWorker({ db, queue, files, filesAt, keyring, config, logger: pino({ level: 'silent' }) })
  // Clients keep their connections: without this the API would wait for them to end.
  atEnd(t, () => worker.stop(5000))
  const origin = await made.app.listen({ port: 0, host: '127.0.0.1' })
  atEnd(t, () => made.app.server.closeAllConnections())
  return { ...made, origin }
}
