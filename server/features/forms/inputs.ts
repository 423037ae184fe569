import type { Texts } from '../../languages/file.ts'
import type { FieldDefinition, FieldValue } from '../fields/definition.ts'
import { type Html, html } from './html.ts'

/** One thing that a form asks for. */
export interface Input {
  /** In what is posted. */
  name: string
  label: string
  required: boolean
  /** As it stands there now. */
  value: string
  problem?: string | undefined
  field: Pick<FieldDefinition, 'type' | 'min' | 'max' | 'options'> | 'email'
}

/** An input with its label, and with what is wrong with it. */
export function inputOf(input: Input, texts: Texts): Html {
  const { name, label, required, value, problem, field } = input
  const id = name.replaceAll(/[^\w]/g, '-')
  const isWrong = problem === undefined ? html`` : html` aria-invalid="true" aria-describedby="${id}-problem"`
  const told = problem === undefined ? html`` : html`<p class="problem" id="${id}-problem">${problem}</p>`
  const must = required ? html` required` : html``
  const common = html`id="${id}" name="${name}"${must}${isWrong}`
  if (field !== 'email' && field.type === 'boolean') {
    const checked = value === 'true' ? html` checked` : html``
    return html`<div class="choice"><input type="checkbox" ${common} value="true"${checked}><label for="${id}">${label}</label></div>${told}`
  }
  const hint = required ? html`` : html` <span class="optional">(${texts.optional})</span>`
  return html`<div class="field"><label for="${id}">${label}${hint}</label>${control(field, common, value, texts)}${told}</div>`
}

function control(field: Input['field'], common: Html, value: string, texts: Texts): Html {
  if (field === 'email')
    return html`<input type="email" ${common} value="${value}" maxlength="254" autocomplete="email" inputmode="email" spellcheck="false">`
  switch (field.type) {
    case 'select': {
      const options = ['', ...(field.options ?? [])].map((option) => {
        const selected = option === value ? html` selected` : html``
        return html`<option value="${option}"${selected}>${option === '' ? texts.choose : option}</option>`
      })
      return html`<select ${common}>${options}</select>`
    }
    case 'integer':
    case 'number': {
      const min = field.min === null ? html`` : html` min="${field.min}"`
      const max = field.max === null ? html`` : html` max="${field.max}"`
      const step = field.type === 'integer' ? '1' : 'any'
      return html`<input type="number" ${common} value="${value}" step="${step}"${min}${max}>`
    }
    case 'date':
      return html`<input type="date" ${common} value="${value}">`
    default:
      return html`<input type="text" ${common} value="${value}" maxlength="255">`
  }
}

/** A stored value as an input holds it: dates as they are, whatever their format. */
export const valueText = (value: FieldValue | undefined) => (value === undefined ? '' : String(value))
