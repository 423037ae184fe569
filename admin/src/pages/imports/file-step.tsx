import { Text } from '@mantine/core'
import { FileUp } from 'lucide-react'
import { useState } from 'react'
import * as en from '../../strings/en.ts'
import classes from './imports.module.css'

/** Takes a file that is dropped or chosen. */
export function FileStep({ onFile }: { onFile: (file: File) => void }) {
  const [isOver, setOver] = useState(false)
  return (
    <label
      className={classes.drop}
      data-over={isOver || undefined}
      onDragOver={(event) => {
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault()
        setOver(false)
        const file = event.dataTransfer.files[0]
        if (file) onFile(file)
      }}
    >
      <FileUp size={36} strokeWidth={1.5} aria-hidden />
      <Text fw={600} size="lg">
        {en.imports.drop}{' '}
        <Text span inherit c="var(--mantine-color-anchor)">
          {en.imports.dropOr}
        </Text>
      </Text>
      <Text c="dimmed" maw={460}>
        {en.imports.dropText}
      </Text>
      <input
        type="file"
        className={classes.input}
        accept=".csv,.tsv,.txt,.xlsx,.ndjson,.jsonl,.json,.gz"
        onChange={(event) => {
          const file = event.currentTarget.files?.[0]
          if (file) onFile(file)
        }}
      />
    </label>
  )
}
