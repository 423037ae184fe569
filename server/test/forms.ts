import { timeToken } from '../features/forms/time-trap.ts'
import { allJobs } from '../worker.ts'
import { type Answer, keyring, type TestApp } from './app.ts'
import { runAtOnce } from './jobs.ts'
import { pathOf } from './permission.ts'

export interface FormMade {
  id: number
  /** Where its page is, from the first slash on. */
  path: string
}

/** A form as the API makes it. */
export async function formOf(made: Pick<TestApp, 'call'>, settings: object = {}): Promise<FormMade> {
  const { status, body } = await made.call('POST', '/api/forms', { name: `Form ${Math.random()}`, ...settings })
  if (status !== 201) throw new Error(JSON.stringify(body))
  return { id: body.data.id, path: pathOf(body.data.url) }
}

const MINUTE_MS = 60_000

/** When a form was shown, as its page says it: a minute ago unless given. */
export const shownAt = ({ path }: FormMade, at = new Date(Date.now() - MINUTE_MS)) =>
  timeToken(keyring, path.slice('/f/'.length), at)

/** What a browser sends of a form that was shown a minute ago. */
export async function fill(
  { app }: Pick<TestApp, 'app'>,
  form: FormMade,
  values: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await app.inject({
    method: 'POST',
    url: form.path,
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    payload: new URLSearchParams({ t: shownAt(form), ...values }).toString(),
  })
  return { status: response.statusCode, body: response.body, headers: response.headers }
}

/** Does at once what the worker does within a second. */
export function taken({ db, files, filesAt, queue, config }: TestApp): Promise<void> {
  return runAtOnce(db, allJobs({ db, files, filesAt, queue, keyring, config }))
}

/** Fills a form, and has it taken. */
export async function signUp(made: TestApp, form: FormMade, values: Record<string, string>): Promise<Answer> {
  const answer = await fill(made, form, values)
  await taken(made)
  return answer
}
