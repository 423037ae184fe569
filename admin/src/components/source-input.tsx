import { Input, UnstyledButton } from '@mantine/core'
import { type CSSProperties, useId, useRef } from 'react'
import * as en from '../strings/en.ts'
import classes from './source-input.module.css'

interface SourceInputProps {
  label: string
  description?: string
  value: string
  onChange: (value: string) => void
  /** What is wrong with it: `line 3: …`, or of the whole. */
  fault?: string | undefined
  rows: number
  disabled?: boolean
}

/** An input for source text, with the numbers of its lines; a fault is marked at its line, and leads there. */
export function SourceInput({ label, description, value, onChange, fault, rows, disabled = false }: SourceInputProps) {
  const id = useId()
  const input = useRef<HTMLTextAreaElement>(null)
  const gutter = useRef<HTMLDivElement>(null)
  const lines = value.split('\n')
  const [, number, what = fault] = /^line (\d+): (.*)$/s.exec(fault ?? '') ?? []
  const line = number === undefined ? undefined : Number(number)

  const goTo = (at: number) => {
    const start = lines.slice(0, at - 1).reduce((length, { length: more }) => length + more + 1, 0)
    input.current?.focus()
    input.current?.setSelectionRange(start, start + (lines[at - 1] ?? '').length)
  }
  return (
    <Input.Wrapper
      id={id}
      label={label}
      description={description}
      error={
        fault &&
        (line === undefined ? (
          what
        ) : (
          <UnstyledButton className={classes.fault} onClick={() => goTo(line)}>
            {en.common.atLine(line, what ?? '')}
          </UnstyledButton>
        ))
      }
    >
      <div className={classes.box} data-faulty={fault !== undefined || undefined} data-disabled={disabled || undefined}>
        <div className={classes.gutter} ref={gutter} aria-hidden>
          {lines.map((_, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a line is its number
            <div key={at} data-fault={at + 1 === line || undefined}>
              {at + 1}
            </div>
          ))}
        </div>
        <textarea
          id={id}
          ref={input}
          className={classes.input}
          style={line === undefined ? undefined : ({ '--fault': line - 1 } as CSSProperties)}
          data-fault={line !== undefined || undefined}
          rows={rows}
          wrap="off"
          spellCheck={false}
          autoCapitalize="off"
          value={value}
          disabled={disabled}
          aria-invalid={fault !== undefined}
          aria-describedby={fault === undefined ? undefined : `${id}-error`}
          onChange={(event) => onChange(event.currentTarget.value)}
          onScroll={(event) => {
            if (gutter.current) gutter.current.scrollTop = event.currentTarget.scrollTop
          }}
        />
      </div>
    </Input.Wrapper>
  )
}
