import { Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useAccount } from '../api/client.ts'
import * as en from '../strings/en.ts'
import { Confirm } from './confirm.tsx'
import { Loaded } from './states.tsx'

interface RevertDialogProps {
  /** Of the act that is taken back. */
  changeSet: number
  opened: boolean
  onClose: () => void
  onBegun: (reverting: number | null) => void
}

/** Says in numbers what would come of taking an act back, and does it. */
export function RevertDialog({ changeSet, opened, onClose, onBegun }: RevertDialogProps) {
  const { id, api } = useAccount()
  const preview = useQuery({
    queryKey: [id, 'changes', changeSet, 'revert-preview'],
    queryFn: ({ signal }) => api.changeSets.revert(changeSet, { dry_run: true }, { signal }),
    enabled: opened,
    staleTime: 0,
    gcTime: 0,
  })
  return (
    <Confirm
      opened={opened}
      onClose={onClose}
      title={en.imports.revertTitle}
      action={en.imports.revert}
      isDangerous
      disabled={preview.data === undefined}
      act={async () => onBegun((await api.changeSets.revert(changeSet)).change_set_id)}
    >
      <Loaded query={preview} loading={<Text c="dimmed">{en.imports.revertLooking}</Text>}>
        {({ counts }) => (
          <Stack gap="xs">
            <Text>{en.imports.revertCounts(counts.removed, counts.restored)}</Text>
            {counts.kept > 0 && <Text>{en.imports.revertKept(counts.kept)}</Text>}
            {counts.gone > 0 && <Text>{en.imports.revertGone(counts.gone)}</Text>}
          </Stack>
        )}
      </Loaded>
    </Confirm>
  )
}
