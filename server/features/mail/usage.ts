import type { Queryable } from '../../db/database.ts'
import { findAccount } from '../accounts/accounts.ts'

/** What mails templates by itself. */
export const TEMPLATE_USERS = ['account', 'form'] as const

export interface TemplateUser {
  kind: (typeof TEMPLATE_USERS)[number]
  id: number
  name: string
}

/** All of one kind that mail a template. */
export type TemplateUsers = (db: Queryable, accountId: number, template: string) => Promise<TemplateUser[]>

/** The account itself, where it welcomes people by this template. */
export const accountWithTemplate: TemplateUsers = async (db, accountId, template) => {
  const { name, settings } = await findAccount(db, accountId)
  return settings.welcome_template === template ? [{ kind: 'account', id: accountId, name }] : []
}
