import { parse } from 'tldts'

/** Where most people's addresses are; and domains that are one letter away from those, and real. */
const KNOWN =
  `gmail.com googlemail.com yahoo.com ymail.com rocketmail.com hotmail.com outlook.com live.com msn.com aol.com
icloud.com me.com mac.com mail.com email.com gmx.com gmx.net gmx.de gmx.at gmx.ch web.de t-online.de freenet.de arcor.de
posteo.de mailbox.org proton.me protonmail.com pm.me tutanota.com tuta.io fastmail.com fastmail.fm hey.com zoho.com
yandex.ru yandex.com mail.ru bk.ru inbox.ru list.ru rambler.ru qq.com 163.com 126.com sina.com naver.com daum.net
hotmail.co.uk hotmail.de hotmail.fr hotmail.it hotmail.es outlook.de outlook.fr outlook.es outlook.it live.de live.fr
live.nl live.co.uk yahoo.de yahoo.fr yahoo.it yahoo.es yahoo.co.uk yahoo.co.in yahoo.co.jp yahoo.ca yahoo.com.br
orange.fr wanadoo.fr free.fr sfr.fr laposte.net neuf.fr libero.it virgilio.it tiscali.it alice.it btinternet.com sky.com
virginmedia.com comcast.net verizon.net att.net sbcglobal.net bellsouth.net cox.net charter.net shaw.ca rogers.com
bigpond.com optusnet.com.au bluewin.ch hispeed.ch ziggo.nl kpnmail.nl planet.nl telenet.be skynet.be seznam.cz centrum.cz
wp.pl o2.pl onet.pl interia.pl uol.com.br bol.com.br bol.com terra.com.br mail.de kabelmail.de vodafone.de vodafone.com
online.de ok.de mail.ch web.com gmail.de live.com.au live.ca live.it live.se hotmail.ca hotmail.se hotmail.nl hotmail.be`.split(
    /\s+/,
  )
const known = new Set(KNOWN)

/** Providers whose names are so short that half the alphabet away from one is another real domain: gmx, web, aol. */
const SHORT = 4
/** From this length on two slips may be in a domain. */
const LONG = 11

/**
 * The domain that a likely misspelt one was meant to be (`gmial.com`: gmail.com), or null. To be suggested, never followed:
 * a rare domain may be real. A domain of a known provider is never one, and a company's own hardly ever.
 *
 * @param domain In lower case, as ASCII.
 */
export function suggestDomain(domain: string): string | null {
  if (known.has(domain) || domain.length > 30) return null
  let best: string | null = null
  let least = Number.POSITIVE_INFINITY
  for (const candidate of KNOWN) {
    const most = candidate.length >= LONG ? 2 : 1
    if (Math.abs(candidate.length - domain.length) > most || candidate[0] !== domain[0]) continue
    const slips = countSlips(domain, candidate)
    if (slips <= most && slips < least && isLikely(domain, candidate)) {
      least = slips
      best = candidate
    }
  }
  return best
}

/** For a short name, or one spelt right, only the slips that leave no other domain that could be meant. */
function isLikely(domain: string, candidate: string): boolean {
  const [name, ending] = cut(domain)
  const [meant] = cut(candidate)
  if (name === meant) return meant.length > SHORT || parse(domain).isIcann !== true
  if (meant.length > SHORT) return true
  return ending === cut(candidate)[1] && [...name].sort().join('') === [...meant].sort().join('')
}

function cut(domain: string): [name: string, ending: string] {
  const at = domain.indexOf('.')
  return at === -1 ? [domain, ''] : [domain.slice(0, at), domain.slice(at + 1)]
}

/** Letters left out, put in, changed, or two neighbours that changed places, each of which counts one. */
function countSlips(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      let slips = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + same)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        slips = Math.min(slips, beforeLast[j - 2]! + 1)
      row.push(slips)
    }
    beforeLast = last
    last = row
  }
  return last[b.length]!
}
