/** A bucket that speaks S3, and how to reach it. */
export interface Bucket {
  /** `https://host:port`. */
  endpoint: string
  bucket: string
  /** Before every key: '' or ends with '/'. */
  prefix: string
  region: string
  /** Whether the bucket stands in the path, as most servers of one's own want, or before the host. */
  isPathStyle: boolean
  /** Undefined: as the surroundings say, such as the role of a machine. */
  credentials: { accessKeyId: string; secretAccessKey: string } | undefined
}

const OPTIONS = new Set(['region', 'path_style', 'tls'])

/**
 * Reads `s3://KEY:SECRET@HOST[:PORT]/BUCKET[/PREFIX][?region=…&path_style=…&tls=…]`; KEY and SECRET percent-encoded.
 * Throws an Error whose message never holds what was given, as that has a secret in it.
 */
export function parseStorageUrl(text: string): Bucket {
  if (!URL.canParse(text)) throw new Error('not an address')
  const url = new URL(text)
  const [bucket = '', ...inner] = url.pathname
    .slice(1)
    .split('/')
    .filter((part) => part !== '')
  if (url.protocol !== 's3:' || url.hostname === '' || url.hash !== '') throw new Error('not s3://HOST/BUCKET')
  if (!/^[a-zA-Z0-9][\w.-]{1,62}$/.test(bucket)) throw new Error('no name of a bucket after the host')
  if (inner.some((part) => !/^[\w-][\w.-]*$/.test(part))) throw new Error('a prefix has letters, digits, - _ . only')
  if ([...url.searchParams.keys()].some((name) => !OPTIONS.has(name))) throw new Error('an unknown option')
  if ((url.username === '') !== (url.password === '')) throw new Error('a key needs a secret')
  const isTls = flag(url, 'tls', true)
  return {
    endpoint: `${isTls ? 'https' : 'http'}://${url.host}`,
    bucket,
    prefix: inner.map((part) => `${part}/`).join(''),
    region: url.searchParams.get('region') || 'us-east-1',
    isPathStyle: flag(url, 'path_style', !url.hostname.endsWith('.amazonaws.com')),
    credentials:
      url.username === ''
        ? undefined
        : { accessKeyId: decodeURIComponent(url.username), secretAccessKey: decodeURIComponent(url.password) },
  }
}

function flag(url: URL, name: string, fallback: boolean): boolean {
  const given = url.searchParams.get(name)
  if (given !== null && given !== 'true' && given !== 'false') throw new Error(`${name} is true or false`)
  return given === null ? fallback : given === 'true'
}
