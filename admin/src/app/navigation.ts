import {
  Activity,
  ClipboardPen,
  Download,
  FileUp,
  History,
  House,
  List,
  type LucideIcon,
  Mail,
  Rows3,
  Send,
  Settings,
  ShieldBan,
  Users,
  Webhook,
} from 'lucide-react'
import type { OpenAccount } from '../api/client.ts'
import * as en from '../strings/en.ts'

interface Destination {
  to:
    | '/accounts/$account'
    | '/accounts/$account/contacts'
    | '/accounts/$account/lists'
    | '/accounts/$account/activity'
    | '/accounts/$account/imports'
    | '/accounts/$account/changes'
    | '/accounts/$account/exports'
    | '/accounts/$account/fields'
    | '/accounts/$account/forms'
    | '/accounts/$account/templates'
    | '/accounts/$account/outbox'
    | '/accounts/$account/suppressions'
    | '/accounts/$account/webhooks'
    | '/accounts/$account/settings'
  label: string
  icon: LucideIcon
  /** Of the navigation; undefined: above all groups. */
  group?: keyof typeof en.shell.groups
  /** Whether viewers do not see it. */
  write?: true
}

/** The pages that the navigation and the palette lead to, in their order. */
export const DESTINATIONS: readonly Destination[] = [
  { to: '/accounts/$account', label: en.shell.pages.home, icon: House },
  { to: '/accounts/$account/contacts', label: en.shell.pages.contacts, icon: Users, group: 'audience' },
  { to: '/accounts/$account/lists', label: en.shell.pages.lists, icon: List, group: 'audience' },
  { to: '/accounts/$account/activity', label: en.shell.pages.activity, icon: Activity, group: 'audience' },
  { to: '/accounts/$account/imports', label: en.shell.pages.imports, icon: FileUp, group: 'data' },
  { to: '/accounts/$account/changes', label: en.shell.pages.changes, icon: History, group: 'data' },
  { to: '/accounts/$account/exports', label: en.shell.pages.exports, icon: Download, group: 'data' },
  { to: '/accounts/$account/fields', label: en.shell.pages.fields, icon: Rows3, group: 'data' },
  { to: '/accounts/$account/forms', label: en.shell.pages.forms, icon: ClipboardPen, group: 'reach' },
  { to: '/accounts/$account/templates', label: en.shell.pages.templates, icon: Mail, group: 'reach' },
  { to: '/accounts/$account/outbox', label: en.shell.pages.outbox, icon: Send, group: 'reach' },
  { to: '/accounts/$account/suppressions', label: en.shell.pages.suppressions, icon: ShieldBan, group: 'reach' },
  { to: '/accounts/$account/webhooks', label: en.shell.pages.webhooks, icon: Webhook, group: 'service', write: true },
  { to: '/accounts/$account/settings', label: en.shell.pages.settings, icon: Settings, group: 'service' },
]

/** Those that the user of an account may open. */
export function destinationsFor({ canWrite }: OpenAccount): readonly Destination[] {
  return DESTINATIONS.filter(({ write }) => !write || canWrite)
}
