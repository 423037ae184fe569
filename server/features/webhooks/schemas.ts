import { Type } from 'typebox'
import { Nullable, PageOf, PagingQuery } from '../../http/paging.ts'
import { ACCOUNT_EVENT_TYPES, CONTACT_EVENT_TYPES } from '../activity/event-types.ts'
import { DELIVERY_STATES } from './log.ts'

const GIVEN = {
  url: Type.String({ description: 'Where messages are posted to: https://… or http://….' }),
  description: Type.Optional(Nullable(Type.String({ maxLength: 1000 }))),
  types: Type.Optional(
    Nullable(
      Type.Array(Type.Enum([...CONTACT_EVENT_TYPES, ...ACCOUNT_EVENT_TYPES]), {
        minItems: 1,
        maxItems: 100,
        description: 'Events of any of these types; null: all of them.',
      }),
    ),
  ),
  criteria: Type.Optional(
    Type.Unknown({
      description:
        'Only events of contacts that meet them, as they are when the event is read: see docs/criteria.md. ' +
        'Events of the account, and that someone was deleted, are told all the same. null: everyone.',
    }),
  ),
  each: Type.Optional(
    Type.Boolean({
      description:
        "false, the default: an act on many is told once, by its change_set_finished. true: each person's event as well, " +
        'up to 500 in one message.',
    }),
  ),
}

export const WebhookBody = Type.Object(GIVEN, { additionalProperties: false })

export const WebhookPatch = Type.Object(
  {
    ...GIVEN,
    url: Type.Optional(GIVEN.url),
    enabled: Type.Optional(Type.Boolean({ description: 'true goes on where it stopped.' })),
  },
  { additionalProperties: false },
)

const webhook = {
  id: Type.Integer(),
  url: Type.String(),
  description: Nullable(Type.String()),
  types: Nullable(Type.Array(Type.String())),
  criteria: Type.Unknown(),
  each: Type.Boolean(),
  enabled: Type.Boolean(),
  disabled_at: Nullable(Type.String()),
  disabled_reason: Nullable(Type.String()),
  failing_since: Nullable(Type.String({ description: 'null when its last answer was a good one.' })),
  position: Type.Integer({ description: 'Up to where it has read the feed.' }),
  previous_secret_until: Nullable(Type.String({ description: 'Until then the secret of before signs as well.' })),
  created_at: Type.String(),
  updated_at: Type.String(),
}

export const Webhook = Type.Object(webhook)
export const WebhookPage = PageOf(Webhook)

export const WebhookWithSecret = Type.Object({
  ...webhook,
  secret: Type.String({ description: 'Shown this once. Messages are signed with it.' }),
})

const delivery = {
  id: Type.Integer(),
  message_id: Type.String({ description: 'The webhook-id, the same each time it is sent.' }),
  kind: Type.Enum(['event', 'events', 'test']),
  event_ids: Type.Array(Type.String()),
  state: Type.Enum([...DELIVERY_STATES]),
  tries: Type.Integer(),
  next_try_at: Nullable(Type.String()),
  attempts: Type.Array(
    Type.Object({
      at: Type.String(),
      status: Nullable(Type.Integer()),
      answer: Nullable(Type.String({ description: 'The first 1,000 characters.' })),
      error: Nullable(Type.String()),
      latency_ms: Type.Integer(),
    }),
    { description: 'The last 20, the latest last.' },
  ),
  created_at: Type.String(),
  finished_at: Nullable(Type.String()),
}

export const Delivery = Type.Object(delivery)
export const DeliveryPage = PageOf(Delivery)
export const DeliveryWithRequest = Type.Object({
  ...delivery,
  request: Type.Object({
    url: Type.String(),
    body: Nullable(Type.String({ description: 'null: everyone it was about has been removed.' })),
  }),
})

export const DeliveriesQuery = Type.Object(
  { ...PagingQuery, state: Type.Optional(Type.Enum([...DELIVERY_STATES])) },
  { additionalProperties: false },
)

export const Replay = Type.Object(
  {
    after: Type.Optional(
      Type.String({
        maxLength: 200,
        description: 'A cursor of GET events, `start` or `now`: the webhook reads the feed on from there.',
      }),
    ),
  },
  { additionalProperties: false },
)
