import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readConfig, Settings } from './config.ts'

test('without any setting, everything has a default that serves this machine only', () => {
  const config = readConfig({})

  assert.equal(config.PORT, 8080)
  assert.equal(config.HOST, '127.0.0.1')
  assert.equal(config.RATE_LIMIT, 1500)
  assert.deepEqual(config.TRUSTED_PROXIES, [])
  assert.equal(config.DATABASE_URL, undefined)
  assert.ok(Object.isFrozen(config))
})

test('values are read as what they mean, and an empty one counts as unset', () => {
  const config = readConfig({
    PORT: '0',
    RATE_LIMIT: ' 0 ',
    HOST: '',
    LOG_LEVEL: 'debug',
    TRUSTED_PROXIES: '10.0.0.0/8, ::1,fd00::/8',
    CORS_ORIGINS: 'https://app.example.com,http://localhost:3000',
    PUBLIC_URL: 'https://contacts.example.com/people/',
    UNKNOWN: 'ignored',
  })

  assert.equal(config.PORT, 0)
  assert.equal(config.RATE_LIMIT, 0)
  assert.equal(config.HOST, '127.0.0.1')
  assert.deepEqual(config.TRUSTED_PROXIES, ['10.0.0.0/8', '::1', 'fd00::/8'])
  assert.deepEqual(config.CORS_ORIGINS, ['https://app.example.com', 'http://localhost:3000'])
  assert.ok(!('UNKNOWN' in config))
})

const BAD: Record<string, string[]> = {
  PORT: ['x', '-1', '65536', '80.5', '1e3', '0x50'],
  HOST: ['a b', 'http://x'],
  PUBLIC_URL: ['example.com', 'ftp://x', 'https://x?y'],
  DATABASE_URL: ['mysql://x', '/socket'],
  DATABASE_DIRECT_URL: ['postgres://x/y'], // without DATABASE_URL
  ROLLCALL_SECRET: ['short', `${'k'.repeat(40)},${'k'.repeat(40)}`],
  ROLLCALL_API_TOKEN: ['short', `${'a'.repeat(31)} b`, 'a'.repeat(256)],
  RATE_LIMIT: ['-5', 'many'],
  TRUSTED_PROXIES: ['10.0.0.0/33', 'proxy.example.com', '10.0.0.1,', '::/129', '10.0.0.0/8/8'],
  CORS_ORIGINS: ['*', 'https://x/', 'x.example.com'],
  LOG_LEVEL: ['loud'],
  SHUTDOWN_TIMEOUT_S: ['0'],
}

for (const [name, values] of Object.entries(BAD)) {
  test(`a bad ${name} is refused by name, with what is allowed and without its value`, () => {
    for (const value of values) {
      assert.throws(
        () => readConfig({ [name]: value }),
        (error: Error) => {
          const [, line = '', ...more] = error.message.split('\n')
          return (
            line.startsWith(`  ${name} must be `) && more.length === 0 && (value.length < 8 || !line.includes(value))
          )
        },
        value,
      )
    }
  })
}

test('all bad settings are named at once', () => {
  assert.throws(() => readConfig({ PORT: 'x', LOG_LEVEL: 'y', RATE_LIMIT: 'z' }), /PORT.*\n.*RATE_LIMIT.*\n.*LOG_LEVEL/)
})

test('every setting says what it is for and what is allowed', () => {
  for (const [name, schema] of Object.entries(Settings.properties)) {
    assert.ok('description' in schema && 'allowed' in schema, name)
  }
})

test('a setting that is yes or no takes true and false, and nothing else', () => {
  assert.equal(readConfig({}).WEBHOOK_ALLOW_PRIVATE, false)
  assert.equal(readConfig({ WEBHOOK_ALLOW_PRIVATE: 'true' }).WEBHOOK_ALLOW_PRIVATE, true)
  assert.equal(readConfig({ WEBHOOK_ALLOW_PRIVATE: ' false ' }).WEBHOOK_ALLOW_PRIVATE, false)
  for (const wrong of ['yes', '1', 'TRUE', 'truefalse'])
    assert.throws(() => readConfig({ WEBHOOK_ALLOW_PRIVATE: wrong }), /WEBHOOK_ALLOW_PRIVATE must be true or false/)
})
