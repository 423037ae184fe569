import type { Texts } from '../../languages/file.ts'
import type { FieldDefinition } from '../fields/definition.ts'
import type { FieldSet } from '../fields/field-set.ts'
import type { FormRow } from './forms.ts'
import { type Html, html, paragraphs } from './html.ts'
import { type Input, inputOf } from './inputs.ts'

/** Robots fill whatever has such a name; people do not see it. */
export const HONEYPOT = 'website'
export const TIME = 't'
export const EMAIL = 'email'

/** How a field's input is called: its merge tag, kept apart from names of our own. */
export const inputName = ({ mergeTag }: FieldDefinition) => `fields[${mergeTag}]`

/** A field that a form asks for. */
export interface Asked {
  field: FieldDefinition
  label: string
  required: boolean
}

/** What a form says. */
type Worded = Pick<FormRow, 'texts'>

/** What a form asks for beside the address, as far as it is in use. */
export function askedBy({ fields }: Pick<FormRow, 'fields'>, known: FieldSet): Asked[] {
  return fields.flatMap(({ field_id, label, required }) => {
    const field = known.numbered(field_id)
    return field ? [{ field, label: label ?? field.name, required }] : []
  })
}

/** What was posted, and what is wrong with it, by the name of the input. */
export interface Filled {
  values: URLSearchParams
  problems: Readonly<Record<string, string>>
}

const NOTHING: Filled = { values: new URLSearchParams(), problems: {} }

/** What stands above a form. */
export const titleOf = (form: Worded, texts: Texts, accountName: string) =>
  form.texts.title ?? texts.signUpTitle(accountName)

/** What people see once they have sent it. */
export const thanks = (form: Worded, texts: Texts) => paragraphs(form.texts.success ?? texts.signedUp)

/** What people see of a form: what it asks for, and what they agree to. */
export function formBody(
  form: Worded,
  asked: readonly Asked[],
  { texts, accountName, time, filled = NOTHING }: { texts: Texts; accountName: string; time: string; filled?: Filled },
): Html[] {
  const { values, problems } = filled
  const inputs: Input[] = [
    { name: EMAIL, label: texts.email, required: true, field: 'email', value: '' },
    ...asked.map(({ field, label, required }) => ({ name: inputName(field), label, required, field, value: '' })),
  ].map((input) => ({ ...input, value: values.get(input.name) ?? '', problem: problems[input.name] }) as Input)
  const notice = Object.keys(problems).length > 0 ? html`<p class="notice bad" role="alert">${texts.mend}</p>` : html``
  return [
    ...paragraphs(form.texts.introduction ?? ''),
    notice,
    html`<form method="post">${inputs.map((input) => inputOf(input, texts))}${trap(texts)}<input type="hidden" name="${TIME}" value="${time}">${paragraphs(consentOf(form, texts, accountName))}<button>${form.texts.button ?? texts.signUpButton}</button></form>`,
  ]
}

function trap(texts: Texts): Html {
  return html`<div class="trap" aria-hidden="true"><label>${texts.leaveEmpty} <input name="${HONEYPOT}" tabindex="-1" autocomplete="off"></label></div>`
}

/** What people agree to by sending it. */
export function consentOf(form: Worded, texts: Texts, accountName: string): string {
  return form.texts.consent ?? texts.signUpConsent(accountName)
}

/** Asks once more, with all that was posted: for whoever came from a page of someone else's, or was too quick or too late. */
export function onceMore(
  values: URLSearchParams,
  names: readonly string[],
  time: string,
  words: string,
  button: string,
): Html {
  const kept = names.flatMap((name) => {
    const value = values.get(name)
    return value === null ? [] : [html`<input type="hidden" name="${name}" value="${value}">`]
  })
  return html`<p>${words}</p><form method="post">${kept}<input type="hidden" name="${TIME}" value="${time}"><button>${button}</button></form>`
}

/** The form for a page of the account's own: no style, no script, and nothing that grows old. */
export function embedOf(form: Worded, asked: readonly Asked[], url: string, texts: Texts): string {
  const lines = [
    html`<label>${texts.email} <input type="email" name="${EMAIL}" required autocomplete="email"></label>`,
    ...asked.map(({ field, label, required }) => plainInput(field, label, required, texts)),
    html`<label hidden>${texts.leaveEmpty} <input name="${HONEYPOT}" tabindex="-1" autocomplete="off"></label>`,
    html`<button type="submit">${form.texts.button ?? texts.signUpButton}</button>`,
  ].map(({ text }) => `  <p>${text}</p>`)
  return [html`<form action="${url}" method="post" accept-charset="utf-8">`.text, ...lines, '</form>'].join('\n')
}

function plainInput(field: FieldDefinition, label: string, isRequired: boolean, texts: Texts): Html {
  const required = isRequired ? html` required` : html``
  const name = html`name="${inputName(field)}"${required}`
  if (field.type === 'boolean') return html`<label><input type="checkbox" value="true" ${name}> ${label}</label>`
  if (field.type === 'select') {
    const options = ['', ...(field.options ?? [])].map(
      (option) => html`<option value="${option}">${option === '' ? texts.choose : option}</option>`,
    )
    return html`<label>${label} <select ${name}>${options}</select></label>`
  }
  const type = field.type === 'date' ? 'date' : field.type === 'text' ? 'text' : 'number'
  const step = field.type === 'number' ? html` step="any"` : html``
  return html`<label>${label} <input type="${type}" ${name}${step}></label>`
}
