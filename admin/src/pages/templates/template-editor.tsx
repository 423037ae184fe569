import { TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { useAccount } from '../../api/client.ts'
import { type Template, templateQuery } from '../../api/queries.ts'
import { EditorForm } from '../../components/editor-form.tsx'
import { Panel } from '../../components/panel.tsx'
import { faultsByInput } from '../../components/problem.ts'
import { SourceInput } from '../../components/source-input.tsx'
import { done } from '../../components/toast.tsx'
import * as en from '../../strings/en.ts'
import { differing, PARTS, type Source } from './source.ts'
import { type Beholder, TemplatePreview, usePreview } from './template-preview.tsx'
import { Variables } from './variables.tsx'

/** What the service takes for a name. */
const NAME = /^[a-z0-9_]{1,64}$/

interface Props {
  /** The template that is changed; without it one is made. */
  template?: Template
  /** What its inputs begin with. */
  initial: Source
  beholder: Beholder
  onDirty?: (isDirty: boolean) => void
}

/** The texts of a template, and beside them the mail that they make for somebody. */
export function TemplateEditor({ template, initial, beholder, onDirty }: Props) {
  const account = useAccount()
  const client = useQueryClient()
  const navigate = useNavigate()
  const [name, setName] = useState('')
  const [saved, setSaved] = useState(initial)
  const [source, setSource] = useState(initial)
  const isDirty = differing(source, saved).length > 0
  useEffect(() => onDirty?.(isDirty), [onDirty, isDirty])
  const preview = usePreview(template?.name, source, beholder)
  const save = useMutation({
    mutationFn: (sent: Source) =>
      template
        ? account.api.mail.updateTemplate(
            template.name,
            Object.fromEntries(differing(sent, saved).map((part) => [part, sent[part]])),
          )
        : account.api.mail.createTemplate({ name, ...sent }),
    onSuccess: async (result, sent) => {
      setSaved(sent) // What has been typed meanwhile is not.
      client.setQueryData(templateQuery(account, result.name).queryKey, result)
      void client.invalidateQueries({ queryKey: [account.id, 'templates'] })
      done(template ? en.templates.saved(result.version) : en.templates.created(result.name))
      if (template) return
      const params = { account: String(account.id), template: result.name }
      await navigate({ to: '/accounts/$account/templates/$template', params, ignoreBlocker: true })
    },
  })
  const put = (change: Partial<Source>) => {
    save.reset()
    setSource((now) => ({ ...now, ...change }))
  }
  // What saving has refused is told until something is changed; a fault in the Liquid as soon as it is made.
  const refused = save.error ? faultsByInput(save.error, ['name', ...PARTS]) : {}
  const faults: Record<string, string | undefined> = { ...refused, ...preview.faults }
  return (
    <EditorForm
      act={{ mutate: () => save.mutate(source), isPending: save.isPending }}
      problem={faults.base}
      submit={template ? en.templates.save : en.templates.create}
      isNew={template === undefined}
      isDirty={isDirty}
      beside={<TemplatePreview preview={preview} />}
    >
      <Panel title={en.templates.source}>
        {!template && (
          <TextInput
            label={en.templates.name}
            description={en.templates.nameHint}
            required
            withAsterisk={false}
            maxLength={64}
            autoCapitalize="off"
            spellCheck={false}
            value={name}
            error={faults.name && (NAME.test(name) ? faults.name : en.templates.nameFault)}
            onChange={(event) => {
              save.reset()
              setName(event.currentTarget.value)
            }}
          />
        )}
        <TextInput
          label={en.templates.subject}
          required
          withAsterisk={false}
          maxLength={1000}
          spellCheck={false}
          value={source.subject}
          error={faults.subject}
          onChange={(event) => put({ subject: event.currentTarget.value })}
        />
        <SourceInput
          label={en.templates.html}
          rows={18}
          disabled={!account.canWrite}
          value={source.html}
          fault={faults.html}
          onChange={(html) => put({ html })}
        />
        <SourceInput
          label={en.templates.text}
          description={en.templates.textHint}
          rows={10}
          disabled={!account.canWrite}
          value={source.text}
          fault={faults.text}
          onChange={(text) => put({ text })}
        />
        <Variables template={template?.name ?? ''} />
      </Panel>
    </EditorForm>
  )
}
