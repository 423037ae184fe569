import { Textarea } from '@mantine/core'
import { useState } from 'react'
import * as en from '../strings/en.ts'
import classes from './json-view.module.css'
import { type Node, read, write } from './tree.ts'

/** The same criteria as JSON: what is written here the builder shows, and the other way round. */
export function JsonView({ tree, onChange }: { tree: Node; onChange: (tree: Node) => void }) {
  const [text, setText] = useState(() => JSON.stringify(write(tree), null, 2))
  const [problem, setProblem] = useState<string>()
  return (
    <Textarea
      aria-label={en.criteria.jsonLabel}
      autosize
      minRows={8}
      maxRows={24}
      spellCheck={false}
      classNames={{ input: classes.code! }}
      value={text}
      error={problem}
      onChange={(event) => {
        const next = event.currentTarget.value
        setText(next)
        try {
          onChange(read(JSON.parse(next)))
          setProblem(undefined)
        } catch (error) {
          setProblem(en.criteria.jsonBroken((error as Error).message))
        }
      }}
    />
  )
}
