import { Anchor, Button, Code, CopyButton, Group, Paper, Stack, Text, Title } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { Code2, FileUp, type LucideIcon, UserPlus } from 'lucide-react'
import type { ReactNode } from 'react'
import { useAccount } from '../../api/client.ts'
import { en } from '../../strings/en.ts'
import classes from './home.module.css'

const { steps } = en.home

/** The ways in which an empty account gets its first contacts. */
export function FirstSteps() {
  const account = useAccount()
  const params = { account: String(account.id) }
  const person = JSON.stringify({ email: 'ada@example.com', fields: { first_name: 'Ada' } })
  const command = [
    `curl ${location.origin}/api/contacts \\`,
    `  -H 'Authorization: Bearer YOUR_TOKEN' \\`,
    `  -H 'Content-Type: application/json' \\`,
    `  -d '${person}'`,
  ].join('\n')
  return (
    <Stack>
      <div>
        <Title order={2}>{en.home.welcome}</Title>
        <Text c="dimmed" size="sm">
          {en.home.welcomeText}
        </Text>
      </div>
      <div className={classes.steps}>
        <Step icon={FileUp} title={steps.import.title} text={steps.import.text}>
          {account.canWrite && (
            <Button renderRoot={(props) => <Link to="/accounts/$account/imports/new" params={params} {...props} />}>
              {steps.import.action}
            </Button>
          )}
        </Step>
        <Step icon={UserPlus} title={steps.form.title} text={steps.form.text}>
          <Text size="sm" c="dimmed">
            {steps.form.none}
          </Text>
          <Anchor href="/docs" target="_blank" size="sm">
            {steps.form.action}
          </Anchor>
        </Step>
        <Step icon={Code2} title={steps.api.title} text={steps.api.text}>
          <Code block className={classes.code} tabIndex={0}>
            {command}
          </Code>
          <Group gap="xs">
            <CopyButton value={command}>
              {({ copied, copy }) => (
                <Button variant="default" size="xs" onClick={copy}>
                  {copied ? en.common.copied : steps.api.copy}
                </Button>
              )}
            </CopyButton>
            {account.canAdminister && (
              <Button
                variant="subtle"
                size="xs"
                renderRoot={(props) => <Link to="/accounts/$account/settings" params={params} {...props} />}
              >
                {steps.api.token}
              </Button>
            )}
          </Group>
        </Step>
      </div>
    </Stack>
  )
}

function Step({
  icon: Icon,
  title,
  text,
  children,
}: {
  icon: LucideIcon
  title: string
  text: string
  children: ReactNode
}) {
  return (
    <Paper withBorder radius="md" p="lg" component="section">
      <Stack gap="sm" align="flex-start">
        <Icon size={22} aria-hidden className={classes.stepIcon} />
        <Title order={3}>{title}</Title>
        <Text size="sm">{text}</Text>
        {children}
      </Stack>
    </Paper>
  )
}
