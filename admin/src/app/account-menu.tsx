import { Menu, UnstyledButton } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { Check, ChevronsUpDown } from 'lucide-react'
import type { OpenAccount } from '../api/client.ts'
import type { Session } from '../api/session.ts'
import * as en from '../strings/en.ts'
import classes from './shell.module.css'

/** The account that is open; a menu where the user has others. */
export function AccountMenu({ session, open }: { session: Session; open: OpenAccount }) {
  const navigate = useNavigate()
  const several = session.accounts.length > 1
  const face = (
    <>
      <img src="/icon.svg" alt="" width={28} height={28} />
      <span className={classes.names}>
        <span className={classes.strong}>{open.name}</span>
        <span className={classes.sub}>{en.shell.role[open.role]}</span>
      </span>
    </>
  )
  if (!several) return <div className={classes.who}>{face}</div>
  return (
    <Menu width="target" position="bottom-start">
      <Menu.Target>
        <UnstyledButton className={classes.who} aria-label={`${en.shell.switchAccount}: ${open.name}`}>
          {face}
          <ChevronsUpDown size={15} aria-hidden />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{en.shell.switchAccount}</Menu.Label>
        {session.accounts.map(({ id, name }) => (
          <Menu.Item
            key={id}
            rightSection={id === open.id ? <Check size={15} aria-hidden /> : null}
            onClick={() => void navigate({ to: '/accounts/$account', params: { account: String(id) } })}
          >
            {name}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}
