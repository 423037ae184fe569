import { Button, Group } from '@mantine/core'
import type { Answer } from '@rollcall/sdk'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { type OpenAccount, useAccount } from '../../api/client.ts'
import { Confirm } from '../../components/confirm.tsx'
import { Panel } from '../../components/panel.tsx'
import { Rows } from '../../components/table.tsx'
import { Time } from '../../components/time.tsx'
import { done } from '../../components/toast.tsx'
import * as en from '../../strings/en.ts'
import { shortName } from './recipe-name.ts'

type Recipe = Answer<'listRecipes'>[number]

const recipesQuery = ({ id, api }: OpenAccount) => ({
  queryKey: [id, 'recipes'],
  queryFn: ({ signal }: { signal: AbortSignal }) => api.call('listRecipes', {}, { signal }),
})

/** Mappings that are proposed for the next file with the same columns; nothing where none is kept. */
export function Mappings() {
  const account = useAccount()
  const { id: accountId, api, canWrite } = account
  const client = useQueryClient()
  const { data: recipes = [] } = useQuery(recipesQuery(account))
  const [leaving, setLeaving] = useState<Recipe>()
  if (recipes.length === 0) return null
  return (
    <div id="mappings">
      <Panel title={en.imports.mappings} about={en.imports.mappingsAbout}>
        <Rows
          label={en.imports.mappings}
          rows={recipes}
          keyOf={({ id }) => id}
          columns={[
            { title: en.imports.mappingName, cell: ({ name }) => shortName(name) },
            {
              title: en.imports.mappingColumns,
              cell: ({ options }) => Object.keys((options.field_mapping as object | undefined) ?? {}).join(', '),
            },
            { title: en.imports.when, cell: ({ updated_at: at }) => <Time at={at} /> },
            {
              title: en.imports.mappingActions,
              isTitleHidden: true,
              cell: (recipe) =>
                canWrite && (
                  <Group justify="flex-end">
                    <Button
                      size="xs"
                      variant="default"
                      aria-label={en.imports.forgetOf(shortName(recipe.name))}
                      onClick={() => setLeaving(recipe)}
                    >
                      {en.imports.forget}
                    </Button>
                  </Group>
                ),
            },
          ]}
        />
      </Panel>
      <Confirm
        opened={leaving !== undefined}
        onClose={() => setLeaving(undefined)}
        title={en.imports.forgetTitle(shortName(leaving?.name ?? ''))}
        action={en.imports.forget}
        isDangerous
        act={async () => {
          await api.call('deleteRecipe', { path: { id: leaving!.id } })
          await client.invalidateQueries({ queryKey: [accountId, 'recipes'] })
          done(en.imports.forgotten(shortName(leaving!.name)))
        }}
      >
        {en.imports.forgetText}
      </Confirm>
    </div>
  )
}
