import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'

const NEUTRAL = '#374151'

export interface Style {
  css: string
  /** As a Content-Security-Policy names it. */
  source: string
}

const styles = new LRUCache<string, Style>({ max: 1000 })

/** The style of pages in an account's colour (#rrggbb), the same for all of them. */
export function styleIn(color = NEUTRAL): Style {
  const known = styles.get(color)
  if (known) return known
  const css = cssIn(color)
  const made = { css, source: `'sha256-${createHash('sha256').update(css).digest('base64')}'` }
  styles.set(color, made)
  return made
}

function cssIn(color: string): string {
  return [
    '*{box-sizing:border-box}',
    'body{margin:0;padding:6vh 1rem 3rem;font:1.0625rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;color:#111827;background:#f3f4f6}',
    `main{max-width:34rem;margin:0 auto;padding:2rem;background:#fff;border-top:.5rem solid ${color};border-radius:.5rem;box-shadow:0 1px 3px #0002,0 8px 24px #0000000f;overflow-wrap:anywhere}`,
    '.account{font-weight:600;color:#4b5563;margin:0 0 .5rem}h1{font-size:1.625rem;line-height:1.25;margin:0 0 1rem}h2{font-size:1.125rem;margin:2.25rem 0 .5rem}p{margin:0 0 1rem}form{margin:0}form+form{margin-top:2rem}',
    'label,legend{font-weight:600}legend{padding:0;margin:0 0 .5rem;font-size:1.125rem}.field{margin:0 0 1.125rem}.field>label{display:block;margin:0 0 .25rem}.hint{color:#4b5563;font-size:.9375rem;margin:.125rem 0 0;font-weight:400}.optional{color:#4b5563;font-weight:400;font-size:.9375rem}',
    'input,select,button{font:inherit}.field>input,.field>select{width:100%;min-height:2.875rem;padding:.5rem .75rem;border:1px solid #6b7280;border-radius:.375rem;background:#fff;color:inherit}.field>[aria-invalid=true]{border:2px solid #b91c1c}',
    '.problem{color:#991b1b;margin:.25rem 0 0;font-weight:600;font-size:.9375rem}.notice{padding:.75rem 1rem;border-radius:.375rem;background:#ecfdf5;border:1px solid #047857;color:#064e3b}.notice.bad{background:#fef2f2;border-color:#b91c1c;color:#7f1d1d}',
    'fieldset{margin:0 0 1.25rem;padding:0;border:0}.choice{display:flex;gap:.75rem;align-items:flex-start;padding:.625rem 0}.choice~.choice{border-top:1px solid #e5e7eb}.choice input{flex:none;width:1.375rem;height:1.375rem;margin:.125rem 0 0;accent-color:#111827}.choice label{flex:1}',
    `button{min-height:2.875rem;padding:.625rem 1.25rem;margin:.25rem .5rem .25rem 0;border:2px solid #111827;border-radius:.375rem;cursor:pointer;font-weight:600;background:${color};color:${inkOn(color)}}button.other{background:#fff;color:#111827}`,
    ':focus-visible{outline:3px solid #111827;outline-offset:2px}a{color:#1d4ed8}.trap{position:absolute;left:-99rem;width:1px;height:1px;overflow:hidden}',
    '@media(max-width:30rem){body{padding:0}main{min-height:100vh;padding:1.5rem 1.25rem;border-radius:0;box-shadow:none}button{width:100%;margin-right:0}}',
  ].join('')
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
