import { getRouteApi } from '@tanstack/react-router'
import { Page } from '../../components/page.tsx'
import * as en from '../../strings/en.ts'
import { SmartListForm } from './smart-list-form.tsx'

const route = getRouteApi('/accounts/$account/lists/new')

export function NewSmartPage() {
  const { criteria } = route.useSearch()
  return (
    <Page title={en.lists.smartTitle}>
      <SmartListForm criteria={criteria} />
    </Page>
  )
}
