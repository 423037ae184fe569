import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { useAccount } from '../api/client.ts'
import { viewsQuery } from '../api/queries.ts'
import { searchOf } from '../contacts/view-search.ts'
import * as en from '../strings/en.ts'
import { TextLink } from './text-link.tsx'
import classes from './used-by.module.css'

export interface User {
  kind: keyof typeof en.usedBy
  id: number | string
  /** null: not for everybody to see. */
  name: string | null
}

/** What speaks of something, each leading to where that is. */
export function UsedBy({ users, label }: { users: readonly User[]; label?: string }) {
  return (
    <ul className={classes.users}>
      {label && <li>{label}:</li>}
      {users.map((user) => (
        <li key={`${user.kind} ${user.id}`}>
          {en.usedBy[user.kind].is}: <Where user={user}>{user.name ?? en.usedBy[user.kind].unnamed(user.id)}</Where>
        </li>
      ))}
    </ul>
  )
}

/** Leads to it, where one may go there. */
function Where({ user: { kind, id, name }, children }: { user: User; children: ReactNode }) {
  const { id: accountId, canWrite, canAdminister } = useAccount()
  const account = String(accountId)
  switch (kind) {
    case 'smart_list':
      return (
        <TextLink to="/accounts/$account/lists/$list" params={{ account, list: String(id) }}>
          {children}
        </TextLink>
      )
    case 'form':
      return (
        <TextLink to="/accounts/$account/forms/$form" params={{ account, form: String(id) }}>
          {children}
        </TextLink>
      )
    case 'template':
      return (
        <TextLink to="/accounts/$account/templates/$template" params={{ account, template: String(id) }}>
          {children}
        </TextLink>
      )
    case 'recipe':
      return (
        <TextLink to="/accounts/$account/imports" params={{ account }} hash="mappings">
          {children}
        </TextLink>
      )
    case 'view':
      return name === null ? children : <View id={Number(id)}>{children}</View>
    case 'webhook':
      return canWrite ? (
        <TextLink to="/accounts/$account/webhooks/$webhook" params={{ account, webhook: String(id) }}>
          {children}
        </TextLink>
      ) : (
        children
      )
    case 'account':
      return canAdminister ? (
        <TextLink to="/accounts/$account/settings" params={{ account }} search={{ tab: 'account' }}>
          {children}
        </TextLink>
      ) : (
        children
      )
  }
}

/** A view is no page of its own, but the contacts found as it says. */
function View({ id, children }: { id: number; children: ReactNode }) {
  const account = useAccount()
  const { data: views = [] } = useQuery(viewsQuery(account))
  const view = views.find((one) => one.id === id)
  if (!view) return children
  return (
    <TextLink to="/accounts/$account/contacts" params={{ account: String(account.id) }} search={searchOf(view)}>
      {children}
    </TextLink>
  )
}
