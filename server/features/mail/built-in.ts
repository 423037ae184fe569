import type { Mails } from '../../languages/file.ts'
import { SPOKEN } from '../../languages/languages.ts'
import type { Source } from './render.ts'

export const CONFIRM_SUBSCRIPTION = 'confirm_subscription'
/** Asks whether it was they who asked for their data, or to be erased. */
export const CONFIRM_REQUEST = 'confirm_request'
export const WELCOME = 'welcome_email'

/** Days that a link to all that is held of somebody, or to its end, works. */
export const REQUEST_DAYS = 1

const page = (lang: string, body: string) => `<!doctype html>
<html lang="${lang}"><head><meta charset="utf-8"><title>{{ account.name }}</title></head>
<body style="font-family: sans-serif; line-height: 1.5; color: #1f2937; max-width: 36em; margin: 2em auto; padding: 0 1em">
${body}
</body></html>
`

/** Templates that come with the service, in the languages that it speaks. An account's own of the same name counts before. */
export const BUILT_IN: Readonly<Record<string, Readonly<Record<string, Source>>>> = {
  [CONFIRM_SUBSCRIPTION]: everywhere('confirm_subscription'),
  [CONFIRM_REQUEST]: everywhere('confirm_request'),
  [WELCOME]: everywhere('welcome_email'),
}

function everywhere(mail: keyof Mails): Record<string, Source> {
  const said = Object.entries(SPOKEN).map(([language, { mails }]) => {
    const { subject, html, text } = mails[mail]
    return [language, { subject, html: page(language, html), text }] as const
  })
  return Object.fromEntries(said)
}
