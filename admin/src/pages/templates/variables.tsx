import { Button, Code, CopyButton, Group, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useAccount } from '../../api/client.ts'
import { fieldsQuery } from '../../api/queries.ts'
import * as en from '../../strings/en.ts'
import { CONFIRMING } from './built-in.ts'
import classes from './templates.module.css'

/** What a template can say: each is copied with its braces. */
export function Variables({ template }: { template: string }) {
  const { data: fields = [] } = useQuery(fieldsQuery(useAccount()))
  const links = CONFIRMING.includes(template) ? ['confirm_url', 'days'] : ['unsubscribe_url', 'preferences_url']
  const names = [
    'contact.email',
    ...fields.map(({ merge_tag: tag }) => `contact.${tag}`),
    ...['account.name', 'account.color'],
    ...links,
  ]
  return (
    <details className={classes.variables}>
      <summary>{en.templates.variables}</summary>
      <Text size="sm" c="dimmed" mt={6} mb="xs">
        {en.templates.variablesAbout}
      </Text>
      <Group gap={6}>
        {names.map((name) => (
          <CopyButton key={name} value={`{{ ${name} }}`}>
            {({ copied, copy }) => (
              <Button size="compact-xs" variant="default" aria-label={en.common.copyOf(name, copied)} onClick={copy}>
                {copied ? en.common.copied : <Code className={classes.variable}>{name}</Code>}
              </Button>
            )}
          </CopyButton>
        ))}
      </Group>
    </details>
  )
}
