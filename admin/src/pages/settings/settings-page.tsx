import { Tabs } from '@mantine/core'
import { getRouteApi } from '@tanstack/react-router'
import { useAccount } from '../../api/client.ts'
import { Page } from '../../components/page.tsx'
import { TabList } from '../../components/tab-list.tsx'
import * as en from '../../strings/en.ts'
import { AccountPanel } from './account-panel.tsx'
import { AuditPanel } from './audit-panel.tsx'
import { ProvidersPanel } from './providers-panel.tsx'
import { isSettingsTab } from './tabs.ts'
import { TokensPanel } from './tokens-panel.tsx'
import { UsersPanel } from './users-panel.tsx'

const route = getRouteApi('/accounts/$account/settings')

const PANELS = {
  tokens: TokensPanel,
  users: UsersPanel,
  account: AccountPanel,
  providers: ProvidersPanel,
  audit: AuditPanel,
}

/** Tokens, users, the account, its mail providers and its audit log; which of them is in the address. Others than administrators see the account's. */
export function SettingsPage() {
  const { canAdminister } = useAccount()
  const { tab = canAdminister ? 'tokens' : 'account' } = route.useSearch()
  const navigate = route.useNavigate()
  const Panel = PANELS[tab]
  return (
    <Page title={en.settings.title}>
      <Tabs
        value={tab}
        keepMounted={false}
        onChange={(chosen) => {
          if (isSettingsTab(chosen)) void navigate({ search: { tab: chosen } })
        }}
      >
        <TabList open={tab} mb="lg">
          {Object.entries(en.settings.tabs).map(([value, label]) => (
            <Tabs.Tab key={value} value={value}>
              {label}
            </Tabs.Tab>
          ))}
        </TabList>
        <Tabs.Panel value={tab}>
          <Panel />
        </Tabs.Panel>
      </Tabs>
    </Page>
  )
}
