import type { Texts } from '../../languages/file.ts'
import { displayEmail } from '../../lib/email.ts'
import { type Filled, inputName } from './form-page.ts'
import { type Html, html } from './html.ts'
import { inputOf, valueText } from './inputs.ts'
import { type Button, buttonOf } from './page.ts'
import { type Preferences, shownField, shownList } from './preferences.ts'

export interface Notice {
  words: string
  isBad?: boolean
}

/** What a person sees of themselves, and may change. */
export function preferencesBody(
  now: Preferences,
  texts: Texts,
  accountName: string,
  { notice, filled }: { notice?: Notice | undefined; filled?: Filled | undefined } = {},
): Html[] {
  const getsMail = now.state === 'subscribed'
  const again: Button = { words: texts.resubscribeButton, value: 'resubscribe', isMain: true }
  const leave: Button = { words: texts.unsubscribeAllButton, value: 'unsubscribe', isMain: false }
  return [
    html`<p>${texts.preferencesOf(displayEmail(now.email))}</p>`,
    noticeOf(notice),
    getsMail
      ? html`<p>${texts.getsMail(accountName)}</p>`
      : html`<p>${texts.getsNoMail(accountName)}</p><form method="post">${buttonOf(again)}</form>`,
    settings(now, texts, filled),
    getsMail ? html`<h2>${texts.allTitle}</h2><form method="post">${buttonOf(leave)}</form>` : html``,
    ownData(texts),
  ]
}

function noticeOf(notice: Notice | undefined): Html {
  if (!notice) return html``
  return notice.isBad
    ? html`<p class="notice bad" role="alert">${notice.words}</p>`
    : html`<p class="notice" role="status">${notice.words}</p>`
}

function settings(now: Preferences, texts: Texts, filled: Filled | undefined): Html {
  if (now.lists.length + now.fields.length === 0) return html``
  const wanted = filled && new Set(filled.values.getAll('list'))
  const lists = now.lists.map(({ id, name, description, isIn }) => {
    const checked = (wanted ? wanted.has(String(id)) : isIn) ? html` checked` : html``
    const hint = description ? html`<p class="hint" id="list-${id}-hint">${description}</p>` : html``
    const described = description ? html` aria-describedby="list-${id}-hint"` : html``
    return html`<input type="hidden" name="shown" value="${shownList(id)}"><div class="choice"><input type="checkbox" id="list-${id}" name="list" value="${id}"${checked}${described}><div><label for="list-${id}">${name}</label>${hint}</div></div>`
  })
  const fields = now.fields.map((field) => {
    const name = inputName(field)
    const value = filled ? (filled.values.get(name) ?? '') : valueText(now.values[field.key])
    const input = { name, label: field.name, required: field.required, field, value, problem: filled?.problems[name] }
    return html`<input type="hidden" name="shown" value="${shownField(field)}">${inputOf(input, texts)}`
  })
  const ofLists = lists.length > 0 ? html`<fieldset><legend>${texts.listsLegend}</legend>${lists}</fieldset>` : html``
  const ofFields =
    fields.length > 0 ? html`<fieldset><legend>${texts.fieldsLegend}</legend>${fields}</fieldset>` : html``
  return html`<form method="post">${ofLists}${ofFields}${buttonOf({ words: texts.saveButton, value: 'save', isMain: true })}</form>`
}

function ownData(texts: Texts): Html {
  const buttons: Button[] = [
    { words: texts.exportButton, value: 'export', isMain: false },
    { words: texts.eraseButton, value: 'erase', isMain: false },
  ]
  return html`<h2>${texts.dataTitle}</h2><p>${texts.dataWords}</p><form method="post">${buttons.map(buttonOf)}</form>`
}
