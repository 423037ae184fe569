import { ActionIcon, Button, Code, Group, Menu, SegmentedControl, Text } from '@mantine/core'
import { EllipsisVertical, Folder, Plus, X } from 'lucide-react'
import { type ReactNode, useMemo } from 'react'
import * as en from '../strings/en.ts'
import classes from './builder.module.css'
import { Condition, testAbout } from './condition.tsx'
import { asGroup, type GroupNode, isMap, type Node, newKey, replace } from './tree.ts'
import { BuildingContext, useBuilding, useVocabulary } from './vocabulary.ts'

interface Props {
  tree: Node
  onChange: (tree: Node) => void
  /** What the server says is wrong, by its path: `criteria.all.0.value`. */
  faults?: Readonly<Record<string, readonly string[]>>
}

const NONE = {}

/** Nested conditions, each part editable in place. */
export function CriteriaBuilder({ tree, onChange, faults = NONE }: Props) {
  const vocabulary = useVocabulary()
  const building = useMemo(() => ({ vocabulary, faults }), [vocabulary, faults])
  // A single condition stands in the group in which a second one can be put beside it; written it stays as it was.
  const root = asGroup(tree)
  return (
    <BuildingContext value={building}>
      <GroupBox
        node={root}
        path="criteria"
        isRoot
        isWrapped={root !== tree}
        onEdit={(key, by) => onChange(replace(root, key, by) ?? { ...root, of: [] })}
      />
    </BuildingContext>
  )
}

type Edit = (key: string, by: Node | undefined) => void

function GroupBox({
  node,
  path,
  onEdit,
  isRoot = false,
  isWrapped = false,
}: {
  node: GroupNode
  path: string
  onEdit: Edit
  isRoot?: boolean
  isWrapped?: boolean
}) {
  const { vocabulary } = useBuilding()
  const put = (child: Node) => onEdit(node.key, { ...node, of: [...node.of, child] })
  const first = vocabulary.fields[0] ?? vocabulary.attributes[0]
  const fresh = () => testAbout(first, first?.name ?? 'email')
  const pathOf = (child: Node, at: number) =>
    isWrapped ? path : isMap(node) ? `${path}.${nameOf(child)}` : `${path}.${node.how}.${at}`

  return (
    <div className={classes.group} data-root={isRoot || undefined}>
      <Group gap="xs" justify="space-between" wrap="nowrap">
        <Group gap="xs">
          <Text size="sm">{en.criteria.meets}</Text>
          <SegmentedControl
            size="xs"
            aria-label={en.criteria.how}
            value={node.how}
            data={[
              { value: 'all', label: en.criteria.all },
              { value: 'any', label: en.criteria.any },
            ]}
            onChange={(how) => onEdit(node.key, { ...node, how: how as GroupNode['how'] })}
          />
        </Group>
        {!isRoot && (
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={en.criteria.removeGroup}
            onClick={() => onEdit(node.key, undefined)}
          >
            <X size={16} />
          </ActionIcon>
        )}
      </Group>
      {node.of.length === 0 && isRoot && (
        <Text size="sm" c="dimmed">
          {en.criteria.empty}
        </Text>
      )}
      {node.of.map((child, at) => (
        <Part key={child.key} node={child} path={pathOf(child, at)} onEdit={onEdit} />
      ))}
      <Group gap="xs">
        <Button size="compact-sm" variant="light" leftSection={<Plus size={14} />} onClick={() => put(fresh())}>
          {en.criteria.addCondition}
        </Button>
        <Button
          size="compact-sm"
          variant="subtle"
          leftSection={<Folder size={14} />}
          onClick={() => put({ is: 'group', key: newKey(), how: node.how === 'all' ? 'any' : 'all', of: [fresh()] })}
        >
          {en.criteria.addGroup}
        </Button>
      </Group>
    </div>
  )
}

function nameOf(node: Node): string {
  return node.is === 'test' ? node.field : node.is
}

function Part({ node, path, onEdit, notKey }: { node: Node; path: string; onEdit: Edit; notKey?: string }) {
  switch (node.is) {
    case 'group':
      return <GroupBox node={node} path={path} onEdit={onEdit} />
    case 'not':
      return (
        <div className={classes.not}>
          <Text size="xs" fw={600} className={classes.notMark}>
            {en.criteria.negated}
          </Text>
          <div className={classes.notPart}>
            <Part node={node.of} path={`${path}.not`} onEdit={onEdit} notKey={node.key} />
          </div>
        </div>
      )
    case 'raw':
      return (
        <Row onRemove={() => onEdit(notKey ?? node.key, undefined)}>
          <Text size="sm" c="dimmed">
            {en.criteria.raw} <Code>{JSON.stringify(node.json)?.slice(0, 80)}</Code>
          </Text>
        </Row>
      )
    default: {
      const turned: [string, Node] =
        notKey === undefined ? [node.key, { is: 'not', key: newKey(), of: { ...node, key: newKey() } }] : [notKey, node]
      return (
        <Row
          onRemove={() => onEdit(notKey ?? node.key, undefined)}
          menu={
            <Menu.Item onClick={() => onEdit(...turned)}>
              {notKey === undefined ? en.criteria.negate : en.criteria.plain}
            </Menu.Item>
          }
        >
          <Condition node={node} path={path} onChange={(by) => onEdit(node.key, by)} />
        </Row>
      )
    }
  }
}

function Row({ children, onRemove, menu }: { children: ReactNode; onRemove: () => void; menu?: ReactNode }) {
  return (
    <div className={classes.row}>
      {children}
      <Group gap={0} wrap="nowrap" className={classes.tools}>
        {menu && (
          <Menu position="bottom-end">
            <Menu.Target>
              <ActionIcon variant="subtle" color="gray" aria-label={en.criteria.options}>
                <EllipsisVertical size={16} />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>{menu}</Menu.Dropdown>
          </Menu>
        )}
        <ActionIcon variant="subtle" color="gray" aria-label={en.criteria.removeCondition} onClick={onRemove}>
          <X size={16} />
        </ActionIcon>
      </Group>
    </div>
  )
}
