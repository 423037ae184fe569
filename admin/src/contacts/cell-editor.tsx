import { PreconditionFailedError } from '@rollcall/sdk'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type KeyboardEvent, useRef, useState } from 'react'
import { useAccount } from '../api/client.ts'
import type { Contact, Field } from '../api/queries.ts'
import { failed } from '../components/toast.tsx'
import * as en from '../strings/en.ts'
import classes from './contacts-table.module.css'
import { FieldInput } from './field-input.tsx'
import { withContact } from './pages-query.ts'
import { shownValue } from './shown-value.ts'

interface Props {
  contact: Contact
  field: Field
  /** `hadFocus`: nobody has gone elsewhere meanwhile, and the focus would be lost with the input. */
  onDone: (hadFocus: boolean) => void
}

/** A field's value in place: Enter and leaving it save, Escape does not. */
export function CellEditor({ contact, field, onDone }: Props) {
  const account = useAccount()
  const client = useQueryClient()
  const tag = field.merge_tag
  const before = contact.fields[tag] ?? null
  const [value, setValue] = useState<unknown>(before)
  const box = useRef<HTMLDivElement>(null)
  const end = () => onDone(box.current?.contains(document.activeElement) === true)
  /** Only if the value is still what is shown; whatever else of the contact someone changes meanwhile does not matter. */
  const send = async ({ version }: Contact): Promise<Contact> => {
    try {
      return await account.api.contacts.update(contact.id, { fields: { [tag]: value } }, { ifMatch: version })
    } catch (error) {
      if (!(error instanceof PreconditionFailedError && error.contact)) throw error
      const theirs = error.contact.fields[tag] ?? null
      if (theirs === before) return send(error.contact)
      failed(en.contacts.theirsFirst(field.name, shownValue(theirs)))
      return error.contact
    }
  }
  const save = useMutation({
    mutationFn: () => send(contact),
    onSuccess: (saved) => {
      client.setQueriesData(
        { queryKey: [account.id, 'contacts', 'pages'] },
        (held: Parameters<typeof withContact>[0]) => withContact(held, saved),
      )
      void client.invalidateQueries({ queryKey: [account.id, 'contact', contact.id] })
      end()
    },
    onError: (error) => {
      failed(error)
      end()
    },
  })
  const finish = () => {
    if (save.isPending) return
    if (value === before) end()
    else save.mutate()
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it hears the keys of the input inside it
    <div
      ref={box}
      className={classes.editor}
      onKeyDown={(event: KeyboardEvent) => {
        if (event.key === 'Escape') end()
        if (event.key === 'Enter' && field.type !== 'select' && field.type !== 'boolean') finish()
      }}
      onBlur={(event) => {
        if (!box.current?.contains(event.relatedTarget)) finish()
      }}
    >
      <FieldInput
        field={field}
        value={value}
        onChange={setValue}
        autoFocus
        aria-label={en.contacts.edit(field.name, contact.email)}
      />
    </div>
  )
}
