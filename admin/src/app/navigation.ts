import { House, type LucideIcon } from 'lucide-react'
import type { OpenAccount } from '../api/client.ts'
import { en } from '../strings/en.ts'

interface Destination {
  to: '/accounts/$account'
  label: string
  icon: LucideIcon
  /** Of the navigation; undefined: above all groups. */
  group?: keyof typeof en.shell.groups
  /** Whether only administrators see it. */
  admin?: true
}

/** The pages that the navigation and the palette lead to, in their order. */
export const DESTINATIONS: readonly Destination[] = [
  { to: '/accounts/$account', label: en.shell.pages.home, icon: House },
]

/** Those that the user of an account may open. */
export function destinationsFor({ canAdminister }: OpenAccount): readonly Destination[] {
  return DESTINATIONS.filter(({ admin }) => !admin || canAdminister)
}
