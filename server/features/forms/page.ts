import type { FastifyReply } from 'fastify'
import { type Html, html } from './html.ts'
import { styleIn } from './style.ts'

export interface Page {
  language: string
  title: string
  /** What stands below the title. */
  body: Html | readonly Html[]
  /** Whose page it is; none where a link does not tell. */
  account?: { name: string; color: string }
  /** Origins whose pages may show this one in a frame; none unless given. */
  frameOrigins?: readonly string[]
  /** Where answering its form may lead, beside our own pages. */
  leadsTo?: string | undefined
}

/** Answers with a page that needs no script, loads nothing, and is not kept by whoever passes it on. */
export function sendPage(reply: FastifyReply, status: number, page: Page): FastifyReply {
  return sendText(reply, status, page, pageText(page))
}

/** The same of a page that was written already. */
export function sendText(
  reply: FastifyReply,
  status: number,
  { language, account, frameOrigins = [], leadsTo }: Omit<Page, 'title' | 'body'>,
  text: string,
): FastifyReply {
  const { source } = styleIn(account?.color)
  const frames = frameOrigins.length === 0 ? "'none'" : frameOrigins.join(' ')
  // Older browsers, which know this alone, frame it nowhere; it has no word for other origins.
  if (frameOrigins.length === 0) reply.header('x-frame-options', 'DENY')
  else reply.removeHeader('x-frame-options')
  // Browsers hold a form to this also where its answer sends them on.
  const targets = leadsTo === undefined ? "'self'" : `'self' ${leadsTo}`
  return reply
    .code(status)
    .headers({
      'content-type': 'text/html; charset=utf-8',
      'content-language': language,
      'cache-control': 'no-store',
      'x-robots-tag': 'noindex, nofollow',
      'content-security-policy': `default-src 'none'; style-src ${source}; form-action ${targets}; frame-ancestors ${frames}; base-uri 'none'`,
    })
    .send(text)
}

/** A page as one text, with its style in it. */
export function pageText({ language, title, body, account }: Page): string {
  const { css } = styleIn(account?.color)
  const name = account === undefined ? html`` : html`<p class="account">${account.name}</p>`
  const suffix = account === undefined ? '' : ` · ${account.name}`
  const head = html`<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}${suffix}</title>`
  return `<!doctype html>
<html lang="${language}"><head>${head.text}<style>${css}</style></head>
<body><main>${html`${name}<h1>${title}</h1>${body}`.text}</main></body></html>
`
}

/** A button that posts to the page's own address; a value tells several apart. */
export interface Button {
  words: string
  value: string
  isMain: boolean
}

/** What a page asks, with its buttons. */
export function asking(words: string, buttons: readonly Button[] = []): Html {
  const form =
    buttons.length === 0
      ? html``
      : html`<form method="post"><input type="hidden" name="page" value="1">${buttons.map(buttonOf)}</form>`
  return html`<p>${words}</p>${form}`
}

export function buttonOf({ words, value, isMain }: Button): Html {
  const kind = isMain ? html`` : html` class="other"`
  return html`<button name="what" value="${value}"${kind}>${words}</button>`
}
