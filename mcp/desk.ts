import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { z } from 'zod'
import { ApiError, NotFoundError, type Rollcall, RollcallError } from '../sdk/src/rollcall.ts'
import { answer, problem } from './answer.ts'

/** What the tools work with. */
export interface Desk {
  server: McpServer
  client: Rollcall
  /** Whether writes are done at once; else they are proposals. */
  write: boolean
}

interface Tool<Shape extends z.ZodRawShape> {
  title: string
  description: string
  input: Shape
  /** `read` changes nothing; `propose` leaves something for a person to approve; `write` changes people. */
  does: 'read' | 'propose' | 'write'
}

/** Registers a tool. What the service refuses, and what can not be reached, is an error that the model is told in words. */
export function tool<Shape extends z.ZodRawShape>(
  { server }: Desk,
  name: string,
  { title, description, input, does }: Tool<Shape>,
  run: (given: z.infer<z.ZodObject<Shape>>) => Promise<object>,
): void {
  const schema = z.strictObject(input)
  const annotations = {
    title,
    readOnlyHint: does === 'read',
    destructiveHint: does === 'write',
    idempotentHint: does === 'read',
    openWorldHint: false,
  }
  server.registerTool(name, { title, description, inputSchema: schema, annotations }, async (given: unknown) => {
    try {
      return answer(await run(schema.parse(given) as z.infer<z.ZodObject<Shape>>))
    } catch (error) {
      return problem(wordsOf(error))
    }
  })
}

function wordsOf(error: unknown): string {
  if (error instanceof NotFoundError)
    return 'Not found: there is no such contact, list or change here. search_contacts, list_lists and list_changes show what there is.'
  if (error instanceof ApiError) {
    const places = Object.entries(error.fields).map(([place, texts]) => `${place}: ${texts.join(', ')}`)
    return places.length > 0 ? `Refused. ${places.join('; ')}` : error.message
  }
  if (error instanceof RollcallError) return error.message
  return `The tool failed: ${error instanceof Error ? error.message : String(error)}`
}

export const contactName = z
  .string()
  .min(1)
  .max(320)
  .describe('The contact: an email address, an id, or "ext:" followed by the external id')

export const criteria = z
  .record(z.string(), z.unknown())
  .describe(
    'Who: {"plan":"Pro","country":["DE","AT"]} means every entry holds and a list means any of its values. Or nested: ' +
      '{"all":[{"field":"plan","op":"in","value":["Pro"]},{"any":[{"event":"email_opened","within":"30d","count":{"gte":2}},{"list":12}]},{"not":{"tag":"churned"}}]}. ' +
      'Operators: eq ne in not_in contains not_contains starts_with ends_with gt gte lt lte between is_set is_not_set; dates also ' +
      'before after on within_last older_than within_next anniversary_within. Besides fields there are email, email_domain, ' +
      'external_id, state, subscribed, sendable, origin, created_at, updated_at. Ask list_fields for the fields.',
  )

export const limit = (most: number, preset: number) =>
  z.number().int().min(1).max(most).default(preset).describe(`How many to answer, at most ${most}`)

/** Without what is undefined. */
export function given<Value extends object>(value: Value): { [Key in keyof Value]: Exclude<Value[Key], undefined> } {
  const entries = Object.entries(value).filter(([, part]) => part !== undefined)
  return Object.fromEntries(entries) as { [Key in keyof Value]: Exclude<Value[Key], undefined> }
}
