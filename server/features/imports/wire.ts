import { displayEmail } from '../../lib/email.ts'
import { type ImportRow, STATUS_OF } from './imports.ts'
import type { FilePreview } from './preview.ts'
import type { Recipe } from './recipes.ts'
import type { Sureness, Target } from './targets.ts'

/** Where a column goes, in the words in which `field_mapping` says it. */
export function columnOnWire({ name, target }: { name: string; target: Target }) {
  if (target.to === 'nothing') return { name, goes_to: null, because: target.because }
  return { name, goes_to: target.to === 'field' ? target.field.mergeTag : target.to, sure: target.sure }
}

export function importOnWire(row: ImportRow) {
  const { id, phase, counts, progress } = row
  const of = (name: keyof typeof counts) => counts[name] ?? 0
  const merged = of('created') + of('updated') + of('unchanged') + of('duplicate') + of('suppressed')
  return {
    id,
    status: STATUS_OF[phase],
    phase,
    problem: row.problem,
    change_set_id: id,
    rows_read: progress.rows_read ?? 0,
    created_contacts_count: of('created'),
    updated_contacts_count: of('updated'),
    unchanged_contacts_count: of('unchanged'),
    duplicate_rows_count: of('duplicate'),
    rejected_rows_count: of('rejected'),
    suppressed_contacts_count: of('suppressed'),
    contacts_over_limit_count: of('over_limit'),
    opted_out_contacts_count: of('opted_out'),
    kept_unsubscribed_contacts_count: of('kept_unsubscribed'),
    not_applied_rows_count: of('not_applied'),
    errors: row.report,
    warnings: row.warnings,
    progress: {
      bytes_total: row.file_bytes,
      bytes_read: progress.bytes_read ?? 0,
      rows_read: progress.rows_read ?? 0,
      rows_to_merge: progress.rows_to_merge ?? 0,
      rows_merged: row.merging ? merged : 0,
    },
    file: { name: row.file_name, bytes: row.file_bytes, sha256: row.file_sha256, kept: row.file_key !== null },
    detected: row.detected && { ...row.detected },
    columns: row.columns?.map(columnOnWire) ?? null,
    options: { ...row.options },
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
    finished_at: row.finished_at?.toISOString() ?? null,
  }
}

const CONFIDENCE: Readonly<Record<Sureness, number>> = { given: 1, exact: 1, likely: 0.8, new: 0.5 }

export function previewOnWire(preview: FilePreview, recipe: Recipe | undefined) {
  const created = preview.columns.flatMap(({ target, kind }) =>
    target.to === 'field' && target.field.isNew ? [{ field: target.field, kind }] : [],
  )
  return {
    detected: { ...preview.detected },
    rows_seen: preview.rowsSeen,
    is_whole: preview.isWhole,
    columns: preview.columns.map(({ kind, samples, filled, ambiguous, ...column }) => ({
      ...columnOnWire(column),
      confidence: column.target.to === 'nothing' ? 0 : CONFIDENCE[column.target.sure],
      kind,
      samples,
      filled,
      ambiguous,
    })),
    fields_created: created.map(({ field, kind }) => ({
      merge_tag: field.mergeTag,
      name: field.name,
      type: field.rules.type,
      guessed_kind: kind,
    })),
    problems: preview.mappingFaults,
    recipe: recipe ? { id: recipe.id, name: recipe.name, options: { ...recipe.options } } : null,
  }
}

export function contactOfImport(row: {
  line: number
  email: string | null
  contact_id: string | null
  action: string | null
}) {
  return {
    line: row.line,
    email: row.email && displayEmail(row.email),
    id: row.contact_id,
    action: row.action ?? 'none',
  }
}
