import { CONFIRM_REQUEST, CONFIRM_SUBSCRIPTION, REQUEST_DAYS } from './built-in.ts'
import type { Variables } from './render.ts'

const SAMPLE = 'sample'

/**
 * What stands in a preview where a mail has the links of its reader: those let whoever has them act for the person, so that
 * nobody else is shown one. They lead to the page that says that a link does not work.
 */
export function sampleLinks(template: string, base: string, days: number): Variables {
  if (template === CONFIRM_SUBSCRIPTION) return { confirm_url: `${base}/confirm/${SAMPLE}`, days, request: 'subscribe' }
  if (template === CONFIRM_REQUEST)
    return { confirm_url: `${base}/request/${SAMPLE}`, days: REQUEST_DAYS, request: 'export' }
  return { unsubscribe_url: `${base}/unsubscribe/${SAMPLE}`, preferences_url: `${base}/preferences/${SAMPLE}` }
}
