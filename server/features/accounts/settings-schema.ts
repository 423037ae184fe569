import { Type } from 'typebox'
import { DEFAULT_SETTINGS } from './settings.ts'

const Days = Type.Union([Type.Integer({ minimum: 1, maximum: 36_500 }), Type.Null()])

/** An account's settings as they are sent. */
export const AccountSettingsBody = Type.Object(
  {
    color: Type.String({
      pattern: '^#[0-9a-fA-F]{6}$',
      default: DEFAULT_SETTINGS.color,
      description: 'Of the public pages, as #rrggbb.',
    }),
    language: Type.String({
      maxLength: 8,
      default: DEFAULT_SETTINGS.language,
      description: 'Of mails, and of public pages for readers whose own language they do not have; one of `languages`.',
    }),
    time_zone: Type.String({
      default: DEFAULT_SETTINGS.time_zone,
      maxLength: 64,
      description: 'IANA name, such as Europe/Berlin: where days begin and end.',
    }),
    unknown_fields: Type.Enum(['create', 'reject', 'ignore'], {
      default: DEFAULT_SETTINGS.unknown_fields,
      description:
        'What becomes of a key in `fields` that no field has: a field is created, the request is refused, or the key is ignored.',
    }),
    null_fields: Type.Enum(['omit', 'include'], {
      default: DEFAULT_SETTINGS.null_fields,
      description: 'Whether an unset field is left out of `fields` or answered as null.',
    }),
    import_default_state: Type.Enum(['subscribed', 'none', 'pending', 'unsubscribed'], {
      default: DEFAULT_SETTINGS.import_default_state,
      description: 'State of people whom an import brings without saying their state.',
    }),
    double_opt_in: Type.Boolean({
      default: DEFAULT_SETTINGS.double_opt_in,
      description: 'People created without a state of their own wait as pending until they confirm.',
    }),
    soft_bounce_limit: Type.Integer({
      default: DEFAULT_SETTINGS.soft_bounce_limit,
      minimum: 1,
      maximum: 100,
      description:
        'So many mails in a row that were refused for the moment, with none delivered in between, make someone bounced.',
    }),
    welcome_template: Type.Union([Type.String({ pattern: '^[a-z0-9_]{1,64}$' }), Type.Null()], {
      default: DEFAULT_SETTINGS.welcome_template,
      description: 'A template that is mailed to whoever has confirmed; null: none. A form may name another.',
    }),
    retention: Type.Object(
      {
        events_days: Days,
        mails_days: Days,
        changes_days: Days,
      },
      {
        default: DEFAULT_SETTINGS.retention,
        additionalProperties: false,
        description:
          'For how many days events, mails, and the rows of acts on many people are kept; null: for good. An act whose rows have gone can not be taken back any more.',
      },
    ),
  },
  { additionalProperties: false },
)
