import type { Caller } from '../../http/caller.ts'
import type { Keyring } from '../../lib/secret.ts'
import type { AccountSettings } from '../accounts/settings.ts'
import type { FieldCache } from '../fields/field-set.ts'
import type { Asking } from '../subscriptions/confirmations.ts'

/** What someone who changes contacts has at hand: for whom they act, what the account has decided, its fields, the keys. */
export interface Desk {
  caller: Caller
  settings: AccountSettings
  fieldCache: FieldCache
  keyring: Keyring
  /** What people are asked to confirm with. */
  asking: Asking
}
