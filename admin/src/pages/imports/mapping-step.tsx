import { Alert, Badge, Button, Group, Select, Stack, Switch, Text } from '@mantine/core'
import { FileSpreadsheet, History, TriangleAlert } from 'lucide-react'
import { useState } from 'react'
import type { Field } from '../../api/queries.ts'
import { Rows } from '../../components/table.tsx'
import * as en from '../../strings/en.ts'
import classes from './imports.module.css'
import { NewFieldDialog } from './new-field-dialog.tsx'
import {
  LEAVE_OUT,
  type Mapping,
  misfit,
  NEW_FIELD,
  type Preview,
  type PreviewColumn,
  type Reading,
  targetGroups,
} from './new-import.ts'
import { shortName } from './recipe-name.ts'

interface MappingStepProps {
  file: File
  preview: Preview
  fields: readonly Field[]
  reading: Reading
  mapping: Mapping
  onReading: (reading: Reading) => void
  onMapping: (mapping: Mapping) => void
  onAnother: () => void
  /** The mapping of the last file of its kind is taken. */
  onRecipe: () => void
  usesRecipe: boolean
}

/** What the file is, and where each of its columns goes. */
export function MappingStep(props: MappingStepProps) {
  const { file, preview, fields, mapping, onMapping } = props
  const [fieldFor, setFieldFor] = useState<PreviewColumn>()
  return (
    <Stack>
      <FileFacts {...props} file={file} />
      {preview.recipe && (
        <Alert color="indigo" icon={<History size={18} />}>
          <Group justify="space-between" gap="sm">
            <Text size="sm">
              {props.usesRecipe ? en.imports.recipeUsed : en.imports.recipe(shortName(preview.recipe.name))}
            </Text>
            {!props.usesRecipe && (
              <Button size="xs" onClick={props.onRecipe}>
                {en.imports.useRecipe}
              </Button>
            )}
          </Group>
        </Alert>
      )}
      {preview.problems.map((problem) => (
        <Alert key={problem} color="red" icon={<TriangleAlert size={18} />}>
          {problem}
        </Alert>
      ))}
      <Text c="dimmed">{en.imports.columnsText}</Text>
      <Rows
        label={en.imports.steps.columns}
        rows={preview.columns}
        keyOf={({ name }) => name}
        columns={[
          { title: en.imports.column, cell: ({ name }) => <Text fw={600}>{name}</Text> },
          {
            title: en.imports.samples,
            cell: ({ samples, filled }) => (
              <>
                <div className={classes.samples}>{samples.join(' · ') || en.imports.noSamples}</div>
                <Text size="xs" c="dimmed">
                  {en.imports.filled(filled, preview.rows_seen)}
                </Text>
              </>
            ),
          },
          {
            title: en.imports.goesTo,
            cell: (column) => (
              <div className={classes.target}>
                <Select<string>
                  aria-label={en.imports.goesToOf(column.name)}
                  data={targetGroups(fields, column.goes_to)}
                  value={column.goes_to ?? LEAVE_OUT}
                  allowDeselect={false}
                  searchable={fields.length > 10}
                  comboboxProps={{ withinPortal: true }}
                  onChange={(target) => {
                    if (target === NEW_FIELD) setFieldFor(column)
                    else onMapping({ ...mapping, [column.name]: target || null })
                  }}
                />
                <Notes column={column} fields={fields} />
              </div>
            ),
          },
        ]}
      />
      <NewFieldDialog
        column={fieldFor}
        onClose={() => setFieldFor(undefined)}
        onCreated={(name, tag) => onMapping({ ...mapping, [name]: tag })}
      />
    </Stack>
  )
}

function Notes({ column, fields }: { column: PreviewColumn; fields: readonly Field[] }) {
  const notes = [misfit(column, fields), column.ambiguous && en.imports.ambiguous, column.because].filter(Boolean)
  return notes.map((note) => (
    <Text key={String(note)} size="xs" c="var(--warning)" mt={4}>
      {note}
    </Text>
  ))
}

/** What was found out about the file, to be overruled where it was found wrongly. */
function FileFacts({ file, preview, reading, onReading, onAnother }: MappingStepProps) {
  const { format, delimiter, encoding, sheet, sheets, header } = preview.detected as {
    format: string
    delimiter: string | null
    encoding: string | null
    sheet: string | null
    sheets: string[] | null
    header: boolean
  }
  return (
    <Stack gap="sm">
      <Group gap="sm">
        <FileSpreadsheet size={20} aria-hidden />
        <Text fw={600}>{file.name}</Text>
        <Badge variant="default" radius="sm" tt="none">
          {en.imports.detected[format] ?? format}
        </Badge>
        <Text c="dimmed">
          {en.imports.bytes(file.size)}, {en.imports.rowsSeen(preview.rows_seen, preview.is_whole && true)}
        </Text>
        <Button variant="subtle" size="compact-sm" onClick={onAnother}>
          {en.imports.another}
        </Button>
      </Group>
      <Group gap="md" align="flex-end">
        {format === 'csv' && (
          <Select
            size="xs"
            label={en.imports.delimiter}
            data={Object.entries(en.imports.delimiters).map(([value, label]) => ({ value, label }))}
            value={delimiter === '\t' ? 'tab' : (delimiter ?? ',')}
            allowDeselect={false}
            onChange={(value) => onReading({ ...reading, ...(value ? { delimiter: value } : {}) })}
          />
        )}
        {format === 'csv' && encoding && (
          <Select
            size="xs"
            label={en.imports.encoding}
            data={[...new Set([encoding, 'utf-8', 'windows-1252', 'utf-16le', 'iso-8859-2', 'windows-1251'])]}
            value={encoding}
            allowDeselect={false}
            onChange={(value) => onReading({ ...reading, ...(value ? { encoding: value } : {}) })}
          />
        )}
        {sheets && sheets.length > 1 && (
          <Select
            size="xs"
            label={en.imports.sheet}
            data={sheets}
            value={sheet}
            allowDeselect={false}
            onChange={(value) => onReading({ ...reading, ...(value ? { sheet: value } : {}) })}
          />
        )}
        {(format === 'csv' || format === 'xlsx') && (
          <Switch
            label={en.imports.header}
            checked={header}
            onChange={(event) => onReading({ ...reading, header: event.currentTarget.checked })}
          />
        )}
      </Group>
    </Stack>
  )
}
