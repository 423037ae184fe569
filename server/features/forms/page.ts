import { createHash } from 'node:crypto'
import type { FastifyReply } from 'fastify'
import type { Language } from '../accounts/settings.ts'

/** A button that posts to the page's own address; a value tells several apart. */
interface Button {
  words: string
  value: string
  isMain: boolean
}

export interface Page {
  language: Language
  title: string
  words: string
  buttons?: Button[]
  /** Whose page it is; none where a link does not tell. */
  account?: { name: string; color: string }
}

const NEUTRAL = '#374151'

/** Answers with a page that needs no script, loads nothing, can not be framed, and is not kept by whoever passes it on. */
export function sendPage(reply: FastifyReply, status: number, page: Page): FastifyReply {
  const style = styleOf(page.account?.color ?? NEUTRAL)
  const hash = createHash('sha256').update(style).digest('base64')
  return reply
    .code(status)
    .type('text/html; charset=utf-8')
    .header('content-language', page.language)
    .header('cache-control', 'no-store')
    .header('x-robots-tag', 'noindex, nofollow')
    .header('x-frame-options', 'DENY')
    .header(
      'content-security-policy',
      `default-src 'none'; style-src 'sha256-${hash}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
    )
    .send(htmlOf(page, style))
}

function htmlOf({ language, title, words, buttons = [], account }: Page, style: string): string {
  const name = account === undefined ? '' : `<p class="account">${escapeHtml(account.name)}</p>`
  const form =
    buttons.length === 0
      ? ''
      : `<form method="post"><input type="hidden" name="page" value="1">${buttons
          .map(
            ({ words, value, isMain }) =>
              `<button name="what" value="${value}"${isMain ? '' : ' class="other"'}>${escapeHtml(words)}</button>`,
          )
          .join('')}</form>`
  const suffix = account === undefined ? '' : ` · ${escapeHtml(account.name)}`
  return `<!doctype html>
<html lang="${language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}${suffix}</title><style>${style}</style></head>
<body><main>${name}<h1>${escapeHtml(title)}</h1><p>${escapeHtml(words)}</p>${form}</main></body></html>
`
}

function styleOf(color: string): string {
  return (
    'body{margin:0;font:1.1rem/1.5 system-ui,sans-serif;color:#111827;background:#f3f4f6}' +
    `main{max-width:32rem;margin:10vh auto;padding:2rem;background:#fff;border-top:.5rem solid ${color}}` +
    'h1{font-size:1.5rem;margin:.2em 0}.account{font-weight:600;margin:0}' +
    `button{font:inherit;padding:.7em 1.2em;margin:.5em .5em 0 0;border:2px solid #111827;border-radius:.3em;cursor:pointer;background:${color};color:${inkOn(color)}}` +
    'button.other{background:#fff;color:#111827}button:focus-visible{outline:3px solid #111827;outline-offset:3px}'
  )
}

/** Black or white, whichever can be read better on a colour (the contrast of WCAG 2). */
export function inkOn(color: string): '#000000' | '#ffffff' {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(color.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  const luminance = 0.2126 * r + 0.7152 * g + 0.0722 * b
  return (luminance + 0.05) / 0.05 > 1.05 / (luminance + 0.05) ? '#000000' : '#ffffff'
}

export function escapeHtml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
  return text.replace(/[&<>"']/g, (sign) => entities[sign]!)
}
