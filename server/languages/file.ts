/**
 * What a file of this folder says. A file that is named by its language (`fr.ts`) and has all of this is all that it takes to
 * speak another.
 */
export interface LanguageFile {
  pages: Texts
  mails: Mails
}

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

/** Templates in Liquid that come with the service. */
export interface Mails {
  /** Asks with `confirm_url`, which works for `days`. */
  confirm_subscription: MailSource
  /** Asks whether it was they who asked for their data, or to be erased (`request`). */
  confirm_request: MailSource
  welcome_email: MailSource
}

export interface MailSource {
  subject: string
  /** What stands in the body. */
  html: string
  text: string
}

export const button = (words: string) =>
  `<p><a href="{{ confirm_url }}" style="display: inline-block; padding: 0.7em 1.2em; color: #ffffff; background: {{ account.color }}; text-decoration: none">${words}</a></p>
<p style="font-size: 0.9em">{{ confirm_url }}</p>`

export const small = (words: string) => `<p style="font-size: 0.9em">${words}</p>`
