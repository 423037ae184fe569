import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseStorageUrl } from './storage-url.ts'

test('a storage URL names the bucket and how to reach it', () => {
  assert.deepEqual(parseStorageUrl('s3://key:a%2Fb%40c%3Ad@minio.example:9000/files/roll/call?tls=false&region=eu'), {
    endpoint: 'http://minio.example:9000',
    bucket: 'files',
    prefix: 'roll/call/',
    region: 'eu',
    isPathStyle: true,
    credentials: { accessKeyId: 'key', secretAccessKey: 'a/b@c:d' },
  })
  assert.deepEqual(parseStorageUrl('s3://s3.eu-central-1.amazonaws.com/files/?region=eu-central-1'), {
    endpoint: 'https://s3.eu-central-1.amazonaws.com',
    bucket: 'files',
    prefix: '',
    region: 'eu-central-1',
    isPathStyle: false,
    credentials: undefined,
  })
})

test('a storage URL that says less or other things is refused, without its secret', () => {
  const wrong = [
    's3://',
    's3://host',
    's3://host/',
    's3://key@host/bucket',
    's3://:hush@host/bucket',
    'https://key:hush@host/bucket',
    's3://key:hush@host/bucket?tls=yes',
    's3://key:hush@host/bucket?acl=public',
    's3://key:hush@host/bucket/../other/.hidden',
    's3://key:hush@host/a b',
    's3://key:%zz@host/bucket',
    's3://key:hush@host/bucket#part',
    'hush',
  ]
  for (const url of wrong)
    assert.throws(
      () => parseStorageUrl(url),
      (error: Error) => !error.message.includes('hush'),
      url,
    )
})
