import type { Template } from '../../api/queries.ts'
import { Toned } from '../../components/tone.tsx'
import * as en from '../../strings/en.ts'

/** Whether a template is the account's own, or comes with the service, as it came or changed. */
export function TemplateKind({ template: { built_in: isBuiltIn, version } }: { template: Template }) {
  if (!isBuiltIn) return <Toned tone="good">{en.templates.kinds.own}</Toned>
  if (version > 0) return <Toned tone="busy">{en.templates.kinds.changed}</Toned>
  return <Toned tone="quiet">{en.templates.kinds.builtIn}</Toned>
}
