import { openAsBlob, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Program } from './lab.ts'
import { digits, type Figure, progress } from './report.ts'

const ASKED_EACH_MS = 20

// biome-ignore lint/suspicious/noExplicitAny: a benchmark reads few keys of few answers
export async function call(api: Program, token: string, method: string, path: string, body?: unknown): Promise<any> {
  const response = await fetch(`${api.address}/api/${path}`, {
    method,
    headers: {
      'api-token': token,
      ...(body === undefined || body instanceof FormData ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: body instanceof FormData ? body : JSON.stringify(body) }),
  })
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
  return response.json()
}

/** From the first byte sent to the import's end. */
export async function importFile(
  api: Program,
  token: string,
  file: string,
  listId: number,
  name = 'people.csv',
): Promise<{ seconds: number; id: number }> {
  const body = new FormData()
  body.append('file', await openAsBlob(file), name)
  body.append('list_id', String(listId))
  body.append('update_existing', 'true')
  const startedMs = performance.now()
  const { id } = await call(api, token, 'POST', 'contact_imports', body)
  const { seconds } = await importEnds(api, token, id, startedMs)
  return { seconds, id }
}

/** Waits for an import's end, or a trial's. In seconds since `startedMs`: when it ended, and when its file had been read. */
export async function importEnds(
  api: Program,
  token: string,
  id: number,
  startedMs: number,
): Promise<{ seconds: number; readAfter: number }> {
  let said = ''
  let readAfter = Number.NaN
  for (;;) {
    const now = await call(api, token, 'GET', `contact_imports/${id}`)
    const seconds = (performance.now() - startedMs) / 1000
    const words = `${now.phase} ${now.progress.rows_read} read, ${now.progress.rows_merged} merged`
    if (words !== said) progress(`${seconds.toFixed(1)} s: ${words}`)
    said = words
    if (Number.isNaN(readAfter) && !['queued', 'reading'].includes(now.phase)) readAfter = seconds
    if (now.status === 'finished' || now.phase === 'ready') return { seconds, readAfter }
    if (now.status === 'failed') throw new Error(JSON.stringify(now))
    await sleep(now.phase === 'merging' ? 500 : 200)
  }
}

/** Someone of an account, who may be asked for with its token. */
export interface Asked {
  token: string
  email: string
}

/** Reads one contact every 20 ms, of one account after the other; what each answer took, in ms. */
export function ask(api: Program, whom: readonly Asked[]): { stop: () => Promise<number[]> } {
  const latencies: number[] = []
  const open = new Set<Promise<unknown>>()
  let nth = 0
  const timer = setInterval(() => {
    const { token, email } = whom[nth++ % whom.length]!
    const startedMs = performance.now()
    const asked = call(api, token, 'GET', `contacts/${email}`).then(() => latencies.push(performance.now() - startedMs))
    open.add(asked)
    void asked.finally(() => open.delete(asked))
  }, ASKED_EACH_MS)
  return {
    async stop() {
      clearInterval(timer)
      await Promise.all(open)
      return latencies
    },
  }
}

/** The most memory that a process has held at once. */
export function peakMb(pid: number): number {
  const kb = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kb ?? Number.NaN) / 1024
}

export function ratio(
  what: string,
  seconds: number,
  floor: number,
  most: number,
  shown: (seconds: number) => string,
): Figure {
  const value = seconds / floor
  return {
    what,
    measured: shown(seconds),
    floor: `${digits(floor)} s`,
    ratio: `${digits(value)} ×`,
    target: `≤ ${most} ×`,
    met: value <= most,
  }
}

export function plain(what: string, measured: string, target = '', met?: boolean): Figure {
  return { what, measured, floor: '', ratio: '', target, met }
}
