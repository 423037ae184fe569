import { Avatar, type MantineColorScheme, Menu, UnstyledButton, useMantineColorScheme } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useRouter } from '@tanstack/react-router'
import { BookOpen, LogOut, Monitor, Moon, Sun } from 'lucide-react'
import type { OpenAccount } from '../api/client.ts'
import { type Session, signOut } from '../api/session.ts'
import * as en from '../strings/en.ts'
import classes from './shell.module.css'

const SCHEMES: [MantineColorScheme, typeof Sun][] = [
  ['auto', Monitor],
  ['light', Sun],
  ['dark', Moon],
]

/** Who is signed in, how the pages look, and the way out. */
export function UserMenu({ session: { user }, open }: { session: Session; open: OpenAccount }) {
  const { colorScheme, setColorScheme } = useMantineColorScheme({ keepTransitions: true }) // else it writes a <style> element
  const client = useQueryClient()
  const router = useRouter()
  return (
    <Menu width="target" position="top-start">
      <Menu.Target>
        <UnstyledButton className={classes.who}>
          <Avatar size={28} name={user.name || user.email} color="gray" aria-hidden />
          <span className={classes.names}>
            <span>{user.name || user.email}</span>
            <span className={classes.sub}>{user.name ? user.email : en.shell.role[open.role]}</span>
          </span>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{en.shell.theme}</Menu.Label>
        <Menu.RadioGroup value={colorScheme} onChange={(value) => setColorScheme(value as MantineColorScheme)}>
          {SCHEMES.map(([scheme, Icon]) => (
            <Menu.RadioItem key={scheme} value={scheme} rightSection={<Icon size={15} aria-hidden />}>
              {en.shell.themes[scheme]}
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
        <Menu.Divider />
        <Menu.Item component="a" href="/docs" target="_blank" rel="noreferrer" leftSection={<BookOpen size={15} />}>
          {en.shell.apiReference}
        </Menu.Item>
        <Menu.Item
          leftSection={<LogOut size={15} />}
          onClick={async () => {
            await signOut(client)
            router.history.push('/login')
          }}
        >
          {en.session.signOut}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
