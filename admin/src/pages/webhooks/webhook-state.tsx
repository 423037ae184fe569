import type { Webhook } from '@rollcall/sdk'
import { Toned } from '../../components/tone.tsx'
import * as en from '../../strings/en.ts'

export function WebhookState({ webhook }: { webhook: Webhook }) {
  if (!webhook.enabled) return <Toned tone="quiet">{en.webhooks.disabled}</Toned>
  if (webhook.failing_since) return <Toned tone="bad">{en.webhooks.failing}</Toned>
  return <Toned tone="good">{en.webhooks.working}</Toned>
}
