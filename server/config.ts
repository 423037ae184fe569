import { BlockList, isIP } from 'node:net'
import { type Static, type TSchema, Type } from 'typebox'
import { Value } from 'typebox/value'
import { normaliseEmail } from './lib/email.ts'
import { Refusal } from './lib/refusal.ts'
import { parseKeyring, SHORTEST_KEY } from './lib/secret.ts'
import { parseStorageUrl } from './lib/storage-url.ts'

/** What a setting may be, in words: for error messages and the table in the guide. */
interface About {
  allowed: string
  description: string
}

const integer = (fallback: number, minimum: number, maximum: number, description: string) =>
  Type.Integer({
    default: fallback,
    minimum,
    maximum,
    allowed: `a whole number from ${minimum} to ${maximum}`,
    description,
  })
const text = (about: About & { pattern?: string; minLength?: number; default?: string }) => Type.String({ ...about })
const yesOrNo = (fallback: boolean, description: string) =>
  Type.Boolean({ default: fallback, allowed: 'true or false', description })
const list = (about: About) => Type.Array(Type.String(), { default: [], ...about })

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
const POSTGRES_URL = '^postgres(ql)?://.+'

/** Every setting, read from the variable of the same name. Lists are comma-separated. */
export const Settings = Type.Object({
  PORT: integer(8080, 0, 65_535, 'TCP port of the API; 0 takes any that is free.'),
  HOST: text({
    default: '127.0.0.1',
    pattern: '^[^\\s/]+$',
    allowed: 'an address or a host name',
    description:
      'Address to listen on. By default only this machine is served; 0.0.0.0 or :: serves others too, as in a container.',
  }),
  PUBLIC_URL: Type.Optional(
    text({
      pattern: '^https?://[^\\s/?#]+(/[^\\s?#]*)?$',
      allowed: 'an http:// or https:// address without ? or #',
      description: 'Where others reach Rollcall, for the links it hands out; by default HOST and PORT.',
    }),
  ),
  DATABASE_URL: Type.Optional(
    text({
      pattern: POSTGRES_URL,
      allowed: 'a postgres:// address',
      description:
        'A PostgreSQL server, 15 or newer; may lead through PgBouncer. Without it, the embedded PostgreSQL is used.',
    }),
  ),
  DATABASE_DIRECT_URL: Type.Optional(
    text({
      pattern: POSTGRES_URL,
      allowed: 'a postgres:// address, and only together with DATABASE_URL',
      description: 'The same database without a pooler in between, for migrations and LISTEN; by default DATABASE_URL.',
    }),
  ),
  DATABASE_POOL_SIZE: integer(16, 2, 1000, 'Connections to the database at most, per process.'),
  ROLLCALL_HOME: text({
    default: '.rollcall',
    allowed: 'a directory',
    description:
      'What Rollcall keeps: the embedded database, the secret, files. A relative path starts at the checkout.',
  }),
  STORAGE_URL: Type.Optional(
    text({
      pattern: '^s3://',
      allowed:
        's3://KEY:SECRET@HOST/BUCKET (both percent-encoded), with ?region=, path_style= and tls= (true or false) as needed',
      description:
        'A bucket that speaks S3, for uploads and exports; by default they are in ROLLCALL_HOME/files. See the guide to operating.',
    }),
  ),
  ROLLCALL_SECRET: Type.Optional(
    text({
      allowed: `one key or several of at least ${SHORTEST_KEY} characters, comma-separated, all different, the newest first`,
      description:
        'Keys for what is signed, sealed or hashed. By default one is made into ROLLCALL_HOME/secret; belongs in the backup.',
    }),
  ),
  ROLLCALL_API_TOKEN: Type.Optional(
    text({
      pattern: '^[\\x21-\\x7e]{32,255}$',
      allowed: '32 to 255 visible ASCII characters without spaces',
      description: 'A token to ensure for account 1, for automated set-ups; no other is then made.',
    }),
  ),
  RATE_LIMIT: integer(1500, 0, 10_000_000, 'Requests per 10 seconds and token; 0 sets no limit.'),
  SIGN_IN_ATTEMPTS: integer(
    10,
    0,
    1_000_000,
    'Wrong passwords in 15 minutes for one user from one network; 0 sets no limit. See the guide to the admin UI.',
  ),
  FORM_RATE_LIMIT: integer(
    60,
    0,
    1_000_000,
    'Sign-ups by forms in 10 minutes, of one network and of one address; 0 sets no limit. Behind a proxy, set TRUSTED_PROXIES.',
  ),
  TRUSTED_PROXIES: list({
    allowed: 'addresses or ranges such as 10.0.0.0/8, comma-separated',
    description:
      'Proxies whose X-Forwarded-For is believed; none by default. What is found so counts for limits, audit and consent.',
  }),
  CORS_ORIGINS: list({
    allowed: 'origins such as https://app.example.com, comma-separated',
    description: 'Web pages of these origins may call the API; none by default.',
  }),
  BODY_MAX_BYTES: integer(10_485_760, 1024, 1_073_741_824, 'Largest JSON body of a request, in bytes.'),
  IMPORT_BODY_MAX_BYTES: integer(67_108_864, 1024, 1_073_741_824, 'Largest JSON body of an import, in bytes.'),
  UPLOAD_MAX_BYTES: integer(1_073_741_824, 1024, 80_000_000_000, 'Largest file to import, in bytes.'),
  UPLOAD_RETENTION_DAYS: integer(
    7,
    0,
    365,
    'Days that the file of a failed or trial import is kept; others go when they end.',
  ),
  EXPORT_RETENTION_HOURS: integer(24, 1, 8760, 'Hours that the file of an export is kept and its link works.'),
  EXPORT_MAX_MINUTES: integer(
    60,
    1,
    720,
    'Minutes that an export may take; meanwhile PostgreSQL keeps what others delete.',
  ),
  WEBHOOK_ALLOW_PRIVATE: yesOrNo(
    false,
    'Whether webhooks may lead to private, loopback and link-local addresses: only where everyone with a write token, and every editor, may reach those.',
  ),
  WEBHOOK_TIMEOUT_S: integer(15, 1, 60, 'Seconds that a webhook has to answer.'),
  SMTP_URL: Type.Optional(
    text({
      pattern: '^smtps?://.+',
      allowed:
        'smtp://USER:PASSWORD@HOST:PORT (percent-encoded; smtps:// for TLS at once), and only together with MAIL_FROM',
      description:
        'A mail server. Without one, mails are kept, to be read through the API; with one, links need PUBLIC_URL.',
    }),
  ),
  MAIL_FROM: Type.Optional(
    text({ allowed: 'an address such as news@example.com', description: 'The address that mail comes from.' }),
  ),
  SMTP_TIMEOUT_S: integer(30, 1, 300, 'Seconds that the mail server may be silent.'),
  CONFIRMATION_DAYS: integer(7, 1, 365, 'Days that a link to confirm works.'),
  PENDING_RETENTION_DAYS: integer(
    30,
    1,
    3650,
    'Days that people wait as pending: then they are what they were before, and who was created so is removed.',
  ),
  LOG_LEVEL: Type.Union(
    LEVELS.map((level) => Type.Literal(level)),
    {
      default: 'info',
      allowed: `one of ${LEVELS.join(', ')}`,
      description: 'The least grave messages that are logged.',
    },
  ),
  SHUTDOWN_TIMEOUT_S: integer(
    8,
    1,
    3600,
    'Seconds from SIGTERM to the exit at most; requests and jobs have most of it to end.',
  ),
})

export type Config = Readonly<Static<typeof Settings>>

type Name = keyof Config

/** What a schema can't say. */
const CHECKS: { [Key in Name]?: (value: NonNullable<Config[Key]>, config: Config) => boolean } = {
  DATABASE_DIRECT_URL: (_url, config) => config.DATABASE_URL !== undefined,
  SMTP_URL: (_url, config) => config.MAIL_FROM !== undefined,
  MAIL_FROM: (address) => normaliseEmail(address).ok,
  ROLLCALL_SECRET: (keys) => doesNotThrow(() => parseKeyring(keys)),
  STORAGE_URL: (url) => doesNotThrow(() => parseStorageUrl(url)),
  TRUSTED_PROXIES: (ranges) => ranges.every(isRange),
  CORS_ORIGINS: (origins) => origins.every((origin) => URL.canParse(origin) && new URL(origin).origin === origin),
}

/**
 * Reads every setting once, at start; '' counts as unset. Throws one Refusal that names each bad one with what is
 * allowed, and never a value, as that may be a secret.
 */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const properties = Object.entries(Settings.properties) as [Name, TSchema][]
  const given = Object.fromEntries(
    properties.filter(([name]) => env[name]?.trim()).map(([name, schema]) => [name, convert(schema, env[name]!)]),
  )
  const config = Value.Default(Settings, given) as Config
  const bad = properties.filter(([name, schema]) => config[name] !== undefined && !isAllowed(name, schema, config))
  if (bad.length === 0) return Object.freeze(config)
  throw new Refusal(
    `bad configuration:\n${bad.map(([name, schema]) => `  ${name} must be ${(schema as TSchema & About).allowed}`).join('\n')}`,
  )
}

function convert(schema: TSchema, given: string): unknown {
  const value = given.trim()
  if (Type.IsInteger(schema)) return /^\d{1,15}$/.test(value) ? Number(value) : value
  if (Type.IsBoolean(schema)) return value === 'true' || (value === 'false' ? false : value)
  if (Type.IsArray(schema)) return value.split(',').map((item) => item.trim())
  return value
}

function isAllowed<Key extends Name>(name: Key, schema: TSchema, config: Config): boolean {
  const value = config[name]
  return Value.Check(schema, value) && (CHECKS[name]?.(value as NonNullable<Config[Key]>, config) ?? true)
}

function isRange(range: string): boolean {
  const [address = '', bits, ...rest] = range.split('/')
  const version = isIP(address)
  if (version === 0 || rest.length > 0) return false
  const family = version === 4 ? 'ipv4' : 'ipv6'
  return (
    bits === undefined ||
    (/^\d{1,3}$/.test(bits) && doesNotThrow(() => new BlockList().addSubnet(address, Number(bits), family)))
  )
}

function doesNotThrow(act: () => unknown): boolean {
  try {
    act()
    return true
  } catch {
    return false
  }
}
