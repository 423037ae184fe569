import { ActionIcon, Button, Checkbox, Group, Popover, ScrollArea, Stack, Text } from '@mantine/core'
import { ChevronDown, ChevronUp, Columns3 } from 'lucide-react'
import * as en from '../strings/en.ts'
import type { Column } from './columns.tsx'

interface Props {
  all: readonly Column[]
  shown: readonly Column[]
  onChange: (names: string[]) => void
}

/** Which columns the table has, and in which order. */
export function ColumnsMenu({ all, shown, onChange }: Props) {
  const names = shown.map(({ name }) => name)
  const hidden = all.filter(({ name }) => !names.includes(name))
  const move = (at: number, by: -1 | 1) => {
    const next = [...names]
    const [name] = next.splice(at, 1)
    next.splice(at + by, 0, name!)
    onChange(next)
  }
  return (
    <Popover position="bottom-end" width={300} shadow="md" trapFocus>
      <Popover.Target>
        <Button variant="default" leftSection={<Columns3 size={15} />}>
          {en.contacts.columns}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <Text size="xs" c="dimmed" mb="xs">
          {en.contacts.columnsHint}
        </Text>
        <ScrollArea.Autosize mah={360}>
          <Stack gap={2}>
            {shown.map(({ name, label }, at) => (
              <Group key={name} justify="space-between" wrap="nowrap" gap="xs">
                <Checkbox
                  size="xs"
                  label={label}
                  checked
                  disabled={name === 'email'}
                  onChange={() => onChange(names.filter((other) => other !== name))}
                />
                <Group gap={0} wrap="nowrap">
                  <ActionIcon
                    size={24}
                    variant="subtle"
                    color="gray"
                    disabled={at < 2}
                    aria-label={en.contacts.moveUp(label)}
                    onClick={() => move(at, -1)}
                  >
                    <ChevronUp size={14} />
                  </ActionIcon>
                  <ActionIcon
                    size={24}
                    variant="subtle"
                    color="gray"
                    disabled={at === 0 || at === shown.length - 1}
                    aria-label={en.contacts.moveDown(label)}
                    onClick={() => move(at, 1)}
                  >
                    <ChevronDown size={14} />
                  </ActionIcon>
                </Group>
              </Group>
            ))}
            {hidden.map(({ name, label }) => (
              <Checkbox
                key={name}
                size="xs"
                py={4}
                label={label}
                checked={false}
                onChange={() => onChange([...names, name])}
              />
            ))}
          </Stack>
        </ScrollArea.Autosize>
      </Popover.Dropdown>
    </Popover>
  )
}
