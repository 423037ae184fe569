import { Command } from 'commander'
import type { Context } from '../context.ts'

/** Runs what a command is to do, with what all commands share. */
export type Act = (work: (context: Context) => Promise<unknown>) => Promise<void>

/** A group of commands about one kind of thing. */
export function group(name: string, description: string): Command {
  return new Command(name).description(description)
}

/** Examples below a command's help; lines as they are typed. */
export function examples(...lines: string[]): string {
  return `\nExample${lines.length > 1 ? 's' : ''}:\n${lines.map((line) => `  ${line}\n`).join('')}`
}

/** Gathers an option that may be given several times. */
export function several(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value]
}

/** Says that something was done. */
export async function done({ out }: Context, result: object, text: string): Promise<void> {
  if (out.isJson) await out.json(result)
  else await out.say(text)
}

/** At most so many; the rest is not asked for. */
export async function* first<Row>(rows: AsyncIterable<Row>, most: number): AsyncGenerator<Row> {
  let count = 0
  for await (const row of rows) {
    yield row
    if (++count >= most) return
  }
}
