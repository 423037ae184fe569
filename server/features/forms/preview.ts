import { textsIn } from '../../languages/languages.ts'
import { LANGUAGES, NOT_SPOKEN } from '../../languages/names.ts'
import { invalid } from '../../lib/app-error.ts'
import type { Account } from '../accounts/accounts.ts'
import type { FieldSet } from '../fields/field-set.ts'
import { checkTexts, fieldsFrom } from './check.ts'
import { askedBy, formBody, thanks, titleOf } from './form-page.ts'
import { pageText } from './page.ts'
import type { FormPreview } from './schemas.ts'

/**
 * The page that a form of these settings would have, whether or not there is one; nothing is kept. Throws `invalid` for fields that
 * are not there, and for a language that is not: all else that saving refuses, it refuses then.
 */
export function previewForm(account: Account, known: FieldSet, input: FormPreview): string {
  const { shows = 'form', language = account.settings.language } = input
  if (!LANGUAGES.includes(language)) throw invalid({ language: [NOT_SPOKEN] })
  const form = { texts: checkTexts({}, input), fields: fieldsFrom(input.fields ?? [], known) }
  const texts = textsIn(language)
  const shown = { language, account: { name: account.name, color: account.settings.color } }
  if (shows === 'success') return pageText({ ...shown, title: texts.signedUpTitle, body: thanks(form, texts) })
  const body = formBody(form, askedBy(form, known), { texts, accountName: account.name, time: '' })
  return pageText({ ...shown, title: titleOf(form, texts, account.name), body })
}
