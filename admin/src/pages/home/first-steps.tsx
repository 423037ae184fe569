import { Button, Code, CopyButton, Group, Stack, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useAccount } from '../../api/client.ts'
import { Panel } from '../../components/panel.tsx'
import * as en from '../../strings/en.ts'
import classes from './home.module.css'

/** What to do with an account in which there is nobody. */
export function FirstSteps() {
  const { id, canWrite, canAdminister } = useAccount()
  const params = { account: String(id) }
  const command = curl(location.origin)
  return (
    <Stack>
      <div>
        <Text fw={600} size="lg">
          {en.home.welcome}
        </Text>
        <Text c="dimmed">{en.home.welcomeText}</Text>
      </div>
      <div className={classes.halves}>
        <Panel title={en.home.stepImport}>
          <Text size="sm">{en.home.stepImportText}</Text>
          {canWrite && (
            <Group>
              <Button renderRoot={(props) => <Link {...props} to="/accounts/$account/imports/new" params={params} />}>
                {en.home.stepImport}
              </Button>
            </Group>
          )}
        </Panel>
        <Panel title={en.home.stepForm}>
          <Text size="sm">{en.home.stepFormText}</Text>
          {canWrite && (
            <Group>
              <Button
                variant="default"
                renderRoot={(props) => <Link {...props} to="/accounts/$account/forms/new" params={params} />}
              >
                {en.home.stepFormAction}
              </Button>
            </Group>
          )}
        </Panel>
      </div>
      <Panel title={en.home.stepApi} about={en.home.stepApiText}>
        <Code block tabIndex={0}>
          {command}
        </Code>
        <Group>
          <CopyButton value={command}>
            {({ copied, copy }) => <Button onClick={copy}>{copied ? en.common.copied : en.common.copy}</Button>}
          </CopyButton>
          {canAdminister && (
            <Button
              variant="default"
              renderRoot={(props) => (
                <Link {...props} to="/accounts/$account/settings" params={params} search={{ tab: 'tokens' }} />
              )}
            >
              {en.home.stepToken}
            </Button>
          )}
        </Group>
      </Panel>
    </Stack>
  )
}

/** Works as it stands, once the token is put in. */
function curl(origin: string): string {
  return `curl ${origin}/api/contacts \\
  -H 'Api-Token: TOKEN' -H 'Content-Type: application/json' \\
  -d '{"email": "ada@example.com", "fields": {"first_name": "Ada"}}'`
}
