import { Button, Drawer, Group, Stack } from '@mantine/core'
import { useState } from 'react'
import { useFocusBack } from '../../components/focus-back.ts'
import { CriteriaEditor, usePreview } from '../../criteria/criteria-editor.tsx'
import { isEveryone, type Node, read, write } from '../../criteria/tree.ts'
import * as en from '../../strings/en.ts'

interface Props {
  opened: boolean
  onClose: () => void
  criteria: unknown
  /** undefined: no filter. */
  onApply: (criteria: unknown) => void
}

export function FilterDrawer({ opened, onClose, ...rest }: Props) {
  useFocusBack()
  return (
    <Drawer
      opened={opened}
      onClose={onClose}
      position="right"
      size={680}
      title={en.contacts.filterTitle}
      closeButtonProps={{ 'aria-label': en.common.close }}
    >
      <Filter onClose={onClose} {...rest} />
    </Drawer>
  )
}

function Filter({ criteria, onApply, onClose }: Omit<Props, 'opened'>) {
  const [tree, setTree] = useState<Node>(() => read(criteria ?? { all: [] }))
  const preview = usePreview(tree)
  const apply = (next: unknown) => {
    onApply(next)
    onClose()
  }
  return (
    <Stack>
      <CriteriaEditor tree={tree} onChange={setTree} preview={preview} />
      <Group justify="space-between">
        <Button variant="subtle" color="gray" onClick={() => apply(undefined)}>
          {en.contacts.clearFilter}
        </Button>
        <Button disabled={preview.error !== null} onClick={() => apply(isEveryone(tree) ? undefined : write(tree))}>
          {en.contacts.applyFilter(preview.found?.count, preview.found?.known)}
        </Button>
      </Group>
    </Stack>
  )
}
