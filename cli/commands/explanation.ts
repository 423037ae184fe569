import { told } from '../output.ts'

/** An explanation as the API answers it: parts within parts. */
interface Part {
  is?: string
  outcome?: boolean
  changes_at?: string | null
  condition?: unknown
  seen?: unknown
  list?: { id: number; name: string; left: boolean }
  of?: Part[]
}

const HEADS: Record<string, string> = { all: 'all of these:', any: 'any of these:', not: 'not this:' }

/** A tree as lines, each with its outcome; what a condition saw stands behind it. */
export function explanationLines(explanation: unknown, depth = 0): string[] {
  const part = explanation as Part
  const head = part.list
    ? `in list ${part.list.name}${part.list.left ? ', which they have left themselves' : ''}:`
    : (HEADS[part.is ?? ''] ?? told(part.condition))
  const saw = part.condition === undefined ? '' : `; it saw ${told(part.seen)}`
  const line = `${'  '.repeat(depth)}${part.outcome ? 'yes' : 'no '}  ${head}${saw}`
  return [line, ...(part.of ?? []).flatMap((each) => explanationLines(each, depth + 1))]
}
