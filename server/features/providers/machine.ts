/**
 * Who opens mails without a person looking at them. Apple's Mail Privacy Protection fetches everything at once and says
 * nothing but `Mozilla/5.0`; scanners name themselves. Gmail's GoogleImageProxy is none of them: it fetches when somebody
 * looks.
 */
const BARE_AGENT = /^Mozilla\/5\.0$/
const SCANNERS =
  /\b(bot|crawler|spider|scanner)\b|YahooMailProxy|DuckDuckGo-Email|Barracuda|Proofpoint|Mimecast|SafeLinks|FireEye|curl\/|python-requests|Go-http-client|HeadlessChrome/i

/** 17.0.0.0/8 is Apple's alone. */
const APPLE = /^17\.\d{1,3}\.\d{1,3}\.\d{1,3}$/

/** Whether what is told of an open or a click shows that no person did it. */
export function isByMachine({ agent, ip }: { agent: string | null; ip: string | null }): boolean {
  return (agent !== null && (BARE_AGENT.test(agent) || SCANNERS.test(agent))) || (ip !== null && APPLE.test(ip))
}

/** A link followed so soon after its mail was delivered was followed by a scanner. */
export const CLICK_WITHIN_S = 10

/** Providers' clocks differ by as much: a click may be told as if it came before the delivery. */
export const CLOCKS_DIFFER_S = 60
