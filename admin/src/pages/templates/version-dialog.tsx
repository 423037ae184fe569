import { Alert, Button, Code, Group, Modal, Stack, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useAccount } from '../../api/client.ts'
import { templateQuery } from '../../api/queries.ts'
import { useFocusBack } from '../../components/focus-back.ts'
import { problemText } from '../../components/problem.ts'
import { Loaded } from '../../components/states.tsx'
import { done } from '../../components/toast.tsx'
import * as en from '../../strings/en.ts'
import { PARTS } from './source.ts'
import classes from './templates.module.css'

interface Props {
  name: string
  version: number
  isDirty: boolean
  onClose: () => void
  onBroughtBack: () => void
}

/** The texts of an earlier version, which can be saved again. */
export function VersionDialog({ name, version, isDirty, onClose, onBroughtBack }: Props) {
  useFocusBack()
  const account = useAccount()
  const client = useQueryClient()
  const query = useQuery({
    queryKey: [account.id, 'templates', name, 'version', version],
    queryFn: ({ signal }) => account.api.mail.templateAt(name, version, { signal }),
  })
  const bringBack = useMutation({
    mutationFn: () => {
      const { subject, html, text } = query.data!
      return account.api.mail.updateTemplate(name, { subject, html, text })
    },
    onSuccess: (saved) => {
      client.setQueryData(templateQuery(account, name).queryKey, saved)
      void client.invalidateQueries({ queryKey: [account.id, 'templates'] })
      onBroughtBack()
      onClose()
      done(en.templates.broughtBack(version, saved.version))
    },
  })
  return (
    <Modal
      opened
      onClose={onClose}
      size="xl"
      title={en.templates.versionTitle(version)}
      closeButtonProps={{ 'aria-label': en.common.close }}
    >
      <Stack>
        <Loaded query={query}>
          {(template) => (
            <>
              {PARTS.map((part) => (
                <div key={part}>
                  <Text size="sm" fw={600} mb={4}>
                    {en.templates[part]}
                  </Text>
                  <Code block tabIndex={0} className={classes.old}>
                    {template[part]}
                  </Code>
                </div>
              ))}
            </>
          )}
        </Loaded>
        {account.canWrite && <Text size="sm">{en.templates.bringBackText}</Text>}
        {account.canWrite && isDirty && <Alert color="yellow">{en.templates.bringBackUnsaved}</Alert>}
        {bringBack.error && (
          <Alert color="red" role="alert">
            {problemText(bringBack.error)}
          </Alert>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {en.common.close}
          </Button>
          {account.canWrite && (
            <Button loading={bringBack.isPending} disabled={!query.data} onClick={() => bringBack.mutate()}>
              {en.templates.bringBack}
            </Button>
          )}
        </Group>
      </Stack>
    </Modal>
  )
}
