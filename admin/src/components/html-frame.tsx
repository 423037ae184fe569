import { Text } from '@mantine/core'
import { useMemo } from 'react'
import * as en from '../strings/en.ts'
import classes from './html-frame.module.css'

/**
 * Somebody else's HTML as it looks: in a frame without any right, so that it runs no script, sends no form and opens no window.
 * The policy of this page holds in it as well: nothing is loaded from elsewhere.
 */
export function HtmlFrame({ title, html }: { title: string; html: string }) {
  const { text, pictures } = useMemo(() => tamed(html), [html])
  return (
    <div className={classes.box}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: its page has nothing that takes the focus, and could not be scrolled by the keyboard */}
      <iframe className={classes.frame} title={title} sandbox="" srcDoc={text} tabIndex={0} />
      {pictures > 0 && (
        <Text size="xs" c="dimmed" mt={6}>
          {en.common.picturesLeftOut(pictures)}
        </Text>
      )}
    </div>
  )
}

/** What the frame would refuse, and what no mail program shows either. */
const REFUSED = 'script, base, link, iframe, object, embed, meta[http-equiv]'

/**
 * The same document without what the frame would refuse. Its links and forms lead to a window that the frame may not open,
 * instead of leading the frame away; of pictures that lie elsewhere it has what they say in words.
 */
function tamed(html: string): { text: string; pictures: number } {
  const page = new DOMParser().parseFromString(html, 'text/html')
  for (const refused of page.querySelectorAll(REFUSED)) refused.remove()
  for (const leading of page.querySelectorAll('a, area, form')) leading.setAttribute('target', '_blank')
  const elsewhere = [...page.querySelectorAll('img')].filter(({ src, srcset }) => srcset !== '' || isElsewhere(src))
  for (const picture of elsewhere) {
    picture.removeAttribute('src')
    picture.removeAttribute('srcset')
  }
  return { text: `<!doctype html>${page.documentElement.outerHTML}`, pictures: elsewhere.length }
}

function isElsewhere(address: string): boolean {
  if (!URL.canParse(address)) return false
  const { protocol, origin } = new URL(address)
  return protocol.startsWith('http') && origin !== location.origin
}
