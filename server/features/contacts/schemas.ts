import { Type } from 'typebox'
import { Nullable, PageOf } from '../../http/paging.ts'
import { STATES, STATUSES } from '../subscriptions/states.ts'

/** A person's own links, to be put into mail to them. */
export const Links = Type.Object({ unsubscribe_url: Type.String(), preferences_url: Type.String() })

/** A contact as the API answers it; times are epoch milliseconds. */
export const Contact = Type.Object(
  {
    id: Type.String({ description: 'UUIDv7, given by the service.' }),
    email: Type.String(),
    external_id: Nullable(Type.String()),
    status: Type.Enum([...STATUSES]),
    state: Type.Enum([...STATES]),
    subscribed: Type.Boolean(),
    sendable: Type.Object({ allowed: Type.Boolean(), reason: Nullable(Type.String()) }),
    fields: Type.Record(Type.String(), Type.Unknown()),
    tags: Type.Array(Type.String()),
    list_ids: Type.Array(Type.Integer(), { description: 'Static lists.' }),
    smart_lists: Type.Optional(Type.Array(Type.Integer(), { description: 'With `include=smart_lists`.' })),
    links: Type.Optional(Links),
    origin: Type.String(),
    created_at: Type.Integer(),
    updated_at: Type.Integer(),
    version: Type.String({ description: 'Another after every change: for `If-Match`, in quotes.' }),
  },
  { description: 'A person' },
)

export const ContactPage = PageOf(Contact)
