import { LANGUAGES, type Language } from '../../accounts/settings.ts'
import { de } from './de.ts'
import { en } from './en.ts'

/** What public pages say. What is handed in is escaped where the page is written. */
export interface Texts {
  confirmTitle: string
  confirmAsk: (account: string) => string
  confirmListsAsk: (account: string, lists: readonly string[]) => string
  confirmButton: string
  confirmedTitle: string
  confirmed: (account: string) => string
  unsubscribeTitle: string
  unsubscribeAsk: (account: string) => string
  unsubscribeListAsk: (account: string, list: string) => string
  unsubscribeButton: string
  unsubscribeAllButton: string
  unsubscribedTitle: string
  unsubscribed: (account: string) => string
  unsubscribedList: (account: string, list: string) => string
  signUpTitle: (account: string) => string
  signUpConsent: (account: string) => string
  signUpButton: string
  /** Asks somebody to send it once more, with a button. */
  onceMore: (email: string) => string
  signedUpTitle: string
  /** The same whether or not the address was known. */
  signedUp: string
  email: string
  optional: string
  choose: string
  leaveEmpty: string
  mend: string
  badEmail: string
  badValue: string
  missing: string
  preferencesTitle: string
  preferencesOf: (email: string) => string
  saved: string
  mailed: string
  noMail: string
  getsMail: (account: string) => string
  getsNoMail: (account: string) => string
  resubscribeButton: string
  listsLegend: string
  fieldsLegend: string
  saveButton: string
  allTitle: string
  dataTitle: string
  dataWords: string
  exportButton: string
  eraseButton: string
  downloadTitle: string
  downloadAsk: (account: string) => string
  downloadButton: string
  eraseTitle: string
  eraseAsk: (account: string) => string
  eraseNow: string
  erasedTitle: string
  erased: (account: string) => string
  wrongTitle: string
  wrong: string
  busyTitle: string
  busy: string
}

export const TEXTS: Readonly<Record<Language, Texts>> = { en, de }

/** The language that a reader likes best of those there are, by their `Accept-Language`; else the account's. */
export function languageFor(header: string | undefined, otherwise: Language): Language {
  if (!header) return otherwise
  const liked = header
    .slice(0, 500)
    .split(',')
    .map((part) => {
      const [tag = '', ...parameters] = part.trim().toLowerCase().split(';')
      const weight = /^\s*q=([01](?:\.\d{1,3})?)\s*$/.exec(parameters[0] ?? '')?.[1] ?? '1'
      return { language: tag.split('-')[0], weight: Number(weight) }
    })
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight)
  return liked.map(({ language }) => LANGUAGES.find((known) => known === language)).find((known) => known) ?? otherwise
}
