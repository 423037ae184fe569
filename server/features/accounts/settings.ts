import { IANAZone } from 'luxon'
import { type Static, Type } from 'typebox'

/** What public pages and mails are written in; a page in its reader's own, where that is one of these. */
export const LANGUAGES = ['en', 'de'] as const
export type Language = (typeof LANGUAGES)[number]

/** What an account decides for itself. Later features add keys here; what is not stored has the default. */
export const AccountSettings = Type.Object(
  {
    color: Type.String({
      pattern: '^#[0-9a-fA-F]{6}$',
      default: '#2563eb',
      description: 'Of the public pages, as #rrggbb.',
    }),
    language: Type.Enum([...LANGUAGES], {
      default: 'en',
      description: 'Of mails, and of public pages for readers whose own language they do not have.',
    }),
    time_zone: Type.String({
      default: 'UTC',
      maxLength: 64,
      description: 'IANA name, such as Europe/Berlin: where days begin and end.',
    }),
    unknown_fields: Type.Enum(['create', 'reject', 'ignore'], {
      default: 'create',
      description:
        'What becomes of a key in `fields` that no field has: a field is created, the request is refused, or the key is ignored.',
    }),
    null_fields: Type.Enum(['omit', 'include'], {
      default: 'omit',
      description: 'Whether an unset field is left out of `fields` or answered as null.',
    }),
    import_default_state: Type.Enum(['subscribed', 'none', 'pending', 'unsubscribed'], {
      default: 'subscribed',
      description: 'State of people whom an import brings without saying their state.',
    }),
    double_opt_in: Type.Boolean({
      default: false,
      description: 'People created without a state of their own wait as pending until they confirm.',
    }),
    soft_bounce_limit: Type.Integer({
      default: 5,
      minimum: 1,
      maximum: 100,
      description:
        'So many mails in a row that were refused for the moment, with none delivered in between, make someone bounced.',
    }),
    retention: Type.Object(
      { events_days: Type.Union([Type.Integer({ minimum: 1, maximum: 36_500 }), Type.Null()]) },
      {
        default: { events_days: null },
        additionalProperties: false,
        description: 'For how many days events are kept; null: for good.',
      },
    ),
  },
  { additionalProperties: false },
)
export type AccountSettings = Static<typeof AccountSettings>

const DEFAULTS = Object.fromEntries(
  Object.entries(AccountSettings.properties).map(([key, schema]) => [key, (schema as { default?: unknown }).default]),
) as AccountSettings

/** The settings an account has: those stored over the defaults. */
export function settingsFrom(stored: Partial<AccountSettings>): AccountSettings {
  return { ...DEFAULTS, ...stored }
}

/** A name, never an offset such as +01:00, which PostgreSQL reads with the other sign. */
export function isTimeZone(name: string): boolean {
  return /^[A-Za-z]/.test(name) && IANAZone.isValidZone(name)
}
