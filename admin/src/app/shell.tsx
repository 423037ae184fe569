import { Burger, Drawer, UnstyledButton, VisuallyHidden } from '@mantine/core'
import { useDisclosure, useHotkeys } from '@mantine/hooks'
import { getRouteApi, Link, Outlet } from '@tanstack/react-router'
import { Search } from 'lucide-react'
import { lazy, Suspense, useState } from 'react'
import { AccountContext, type OpenAccount } from '../api/client.ts'
import { Loading } from '../components/states.tsx'
import * as en from '../strings/en.ts'
import { AccountMenu } from './account-menu.tsx'
import { holdKeys } from './early-keys.ts'
import { Incomplete } from './incomplete.tsx'
import { destinationsFor } from './navigation.ts'
import classes from './shell.module.css'
import { UserMenu } from './user-menu.tsx'

const Palette = lazy(async () => ({ default: (await import('./palette.tsx')).Palette }))
const route = getRouteApi('/accounts/$account')
const isMac = navigator.platform.startsWith('Mac')

/** Around every page of an account: navigation, account, user, palette. */
export function Shell() {
  const { session, open } = route.useRouteContext()
  const [isNavOpen, nav] = useDisclosure(false)
  // The palette is loaded when it is first asked for; each further time opens the one that is there.
  const [palette, setPalette] = useState(0)
  const openPalette = () => {
    holdKeys()
    setPalette((times) => times + 1)
  }
  useHotkeys([['mod+K', openPalette]], [])

  const side = (
    <div className={classes.side}>
      <AccountMenu session={session} open={open} />
      <UnstyledButton className={classes.search} onClick={openPalette}>
        <Search size={15} aria-hidden />
        <span>{en.shell.searchShort}</span>
        <kbd aria-hidden>{isMac ? en.shell.searchKeysMac : en.shell.searchKeys}</kbd>
      </UnstyledButton>
      <Navigation open={open} onNavigate={nav.close} />
      <UserMenu session={session} open={open} />
    </div>
  )

  return (
    <AccountContext value={open}>
      <a href="#content" className={classes.skip}>
        {en.shell.skip}
      </a>
      <div className={classes.shell}>
        <aside className={classes.aside}>{side}</aside>
        <header className={classes.bar}>
          <Burger opened={isNavOpen} onClick={nav.open} size="sm" aria-label={en.shell.openNavigation} />
          <span className={classes.where}>{open.name}</span>
          <UnstyledButton onClick={openPalette} aria-label={en.shell.palette} className={classes.icon}>
            <Search size={18} aria-hidden />
          </UnstyledButton>
        </header>
        <main id="content" className={classes.main} tabIndex={-1} key={open.id}>
          <Incomplete />
          <div className={classes.content}>
            <Suspense fallback={<Loading />}>
              <Outlet />
            </Suspense>
          </div>
        </main>
      </div>
      <Drawer
        opened={isNavOpen}
        onClose={nav.close}
        size={280}
        title={<VisuallyHidden>{en.shell.navigation}</VisuallyHidden>}
        closeButtonProps={{ 'aria-label': en.shell.closeNavigation }}
        classNames={{ body: classes.drawer }}
      >
        {side}
      </Drawer>
      {palette > 0 && (
        <Suspense>
          <Palette asked={palette} session={session} />
        </Suspense>
      )}
    </AccountContext>
  )
}

function Navigation({ open, onNavigate }: { open: OpenAccount; onNavigate: () => void }) {
  const destinations = destinationsFor(open)
  const groups = [undefined, ...(Object.keys(en.shell.groups) as (keyof typeof en.shell.groups)[])]
  return (
    <nav aria-label={en.shell.navigation} className={classes.nav}>
      {groups.map((group) => {
        const within = destinations.filter((destination) => destination.group === group)
        return within.length === 0 ? null : (
          <div key={group ?? 'top'} className={classes.group}>
            {group && <div className={classes.groupName}>{en.shell.groups[group]}</div>}
            {within.map(({ to, label, icon: Icon }) => (
              <Link
                key={to}
                to={to}
                params={{ account: String(open.id) }}
                className={classes.link}
                activeOptions={{ exact: to === '/accounts/$account', includeSearch: false }}
                activeProps={{ 'aria-current': 'page' }}
                onClick={onNavigate}
              >
                <Icon size={17} aria-hidden />
                {label}
              </Link>
            ))}
          </div>
        )
      })}
    </nav>
  )
}
